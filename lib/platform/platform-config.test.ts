/** What the shared settings refuse. */
import { expect, test } from 'vitest'
import { ConfigError, readConfig } from '../runtime/config.ts'
import { PlatformConfig } from './platform-config.ts'

const URL = 'PLUMBLINE_SCHEMA_REGISTRY_URL'

test.each(['http://127.0.0.1:8081', 'https://registry', 'http://r:80/apis/ccompat/v7', 'http://r'])(
  'the registry at %s',
  (url) => {
    expect(readConfig(PlatformConfig, { [URL]: url })[URL]).toBe(url)
  },
)

test('an address of the registry that holds credentials is refused without naming them', () => {
  for (const url of ['http://ann:secret@registry', 'http://secret@registry/apis', 'http://r/']) {
    const read = () => readConfig(PlatformConfig, { [URL]: url })
    expect(read).toThrow(ConfigError)
    expect(read).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining('secret') }),
    )
  }
})
