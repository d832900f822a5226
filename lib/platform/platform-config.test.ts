/** What the shared settings refuse. */
import { expect, test } from 'vitest'
import { ConfigError, readConfig } from '../runtime/config.ts'
import { callerProblems } from './known-callers.ts'
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

test.each<[Record<string, string>, string | undefined]>([
  [{}, undefined],
  [{ PLUMBLINE_HTTP_HOST: '0.0.0.0' }, 'is not loopback'],
  [{ PLUMBLINE_OIDC_ISSUER: 'https://id.example' }, 'PLUMBLINE_OIDC_AUDIENCE is required'],
  [{ PLUMBLINE_OIDC_CLIENT_ID: 'pages' }, 'PLUMBLINE_OIDC_ISSUER is not'],
  [{ PLUMBLINE_OIDC_CLIENT_SECRET: 's' }, 'PLUMBLINE_OIDC_CLIENT_ID is not'],
  [
    {
      PLUMBLINE_OIDC_ISSUER: 'https://id.example',
      PLUMBLINE_OIDC_AUDIENCE: 'p',
      PLUMBLINE_OIDC_CLIENT_ID: 'pages',
      PLUMBLINE_OIDC_CLIENT_SECRET_FILE: '/there/is/none',
    },
    'PLUMBLINE_OIDC_CLIENT_SECRET_FILE cannot be read',
  ],
  [{ PLUMBLINE_OIDC_AUDIENCE: 'plumbline' }, 'PLUMBLINE_OIDC_ISSUER is not'],
  [
    { PLUMBLINE_OIDC_ISSUER: 'http://id', PLUMBLINE_OIDC_AUDIENCE: 'p' },
    'must be an https address',
  ],
  [
    {
      PLUMBLINE_HTTP_HOST: '0.0.0.0',
      PLUMBLINE_OIDC_ISSUER: 'https://id.example/realms/a',
      PLUMBLINE_OIDC_AUDIENCE: 'p',
    },
    undefined,
  ],
])('callers by %j', (environment, problem) => {
  const problems = callerProblems(readConfig(PlatformConfig, environment))
  expect(problems).toEqual(problem === undefined ? [] : [expect.stringContaining(problem)])
})

test('an issuer’s address that holds credentials is refused', () => {
  const read = () => readConfig(PlatformConfig, { PLUMBLINE_OIDC_ISSUER: 'https://a:b@id' })
  expect(read).toThrow('PLUMBLINE_OIDC_ISSUER')
})
