/**
 * A backup of the embedded stores is a copy of the data folder of a stopped process
 * (`docs/operations.md`).
 */
import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { temporaryDirectory } from '../harness.ts'
import { ask, post, prediction, startTarget, type Running } from '../processes.ts'

const directory = temporaryDirectory()
const services: Running[] = []
afterAll(async () => {
  for (const service of services) await service.stop('SIGKILL')
})

async function start(folder: string): Promise<Running> {
  const service = await startTarget('all', { PLUMBLINE_DATA_DIR: join(directory, folder) })
  services.push(service)
  return service
}
const rows = (service: Running) =>
  ask(
    service.clickhouseUrl,
    'SELECT count() AS n, uniqExact(prediction_id) AS ids FROM predictions',
  )

test('a process on a copy of the data folder has all of it, and takes more', async () => {
  const first = await start('data')
  const events = Array.from({ length: 50 }, (_, i) => prediction(i))
  await post(`${first.url}/v1/predictions`, events)
  const before = await rows(first)
  expect(await first.stop('SIGTERM')).toBe(0)
  cpSync(join(directory, 'data'), join(directory, 'copy'), { recursive: true })
  rmSync(join(directory, 'data'), { recursive: true })

  const second = await start('copy')
  expect(await rows(second)).toEqual(before)
  // One that was there, and one that was not: ids are remembered too.
  await post(`${second.url}/v1/predictions`, [prediction(0), prediction(50)])
  expect(await rows(second)).toEqual([{ n: '51', ids: '51' }])
})
