/** The systemd unit is one that systemd takes. */
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryDirectory } from '../harness.ts'
import { ROOT } from '../servers/processes.ts'

test('systemd finds nothing wrong in the unit, and calls its exposure low', () => {
  const unit = join(temporaryDirectory(), 'plumbline.service')
  const text = readFileSync(join(ROOT, 'deploy/systemd/plumbline.service'), 'utf8')
  writeFileSync(unit, text.replaceAll('/opt/plumbline', ROOT))
  const analyze = (...args: string[]) => {
    const { error, ...result } = spawnSync('systemd-analyze', args, { encoding: 'utf8' })
    if (error) throw new Error('systemd-analyze is not installed (Debian: apt-get install systemd)')
    return result
  }
  expect(analyze('verify', unit)).toMatchObject({ status: 0, stderr: '' })
  const { stdout } = analyze('security', '--offline=true', unit)
  const exposure = Number(/Overall exposure level for \S+: ([\d.]+)/.exec(stdout)?.[1])
  expect(exposure).toBeLessThan(3)
})
