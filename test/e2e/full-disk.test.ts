/**
 * A disk with less room than asked for: nothing is accepted that could not be kept, and readiness
 * says why.
 */
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { temporaryDirectory } from '../harness.ts'
import {
  ask,
  post,
  prediction,
  spawnTarget,
  startTarget,
  until,
  type Running,
} from '../servers/processes.ts'

const directory = temporaryDirectory()
const env = { PLUMBLINE_DATA_DIR: join(directory, 'data'), PLUMBLINE_LOG_LEVEL: 'error' }
let plumbline: Running
beforeAll(async () => {
  // More than any disk has.
  plumbline = await spawnTarget('all', { ...env, PLUMBLINE_MIN_FREE_BYTES: String(2 ** 52) })
})
afterAll(() => plumbline?.stop())

test('too little room: not ready with the folder and the bytes free, events are refused, and taken once there is room', async () => {
  let told = ''
  await until('readiness tells of the disk', async () => {
    const response = await fetch(`${plumbline.url}/health/ready`).catch(() => undefined)
    told = (await response?.text()) ?? ''
    return response?.status === 503 && told.includes('"unavailable"')
  })
  expect(told).toMatch(/disk: \S+\/data has \d+ bytes free, fewer than the \d+ of/)
  const event = prediction(1, { model_id: 'kept' })
  for (const [path, body] of [
    ['/v1/predictions', event],
    [
      '/v1/attributes',
      { subject_id: 'c', attributes: { sex: '2' }, observed_at: '2026-01-01T00:00:00Z' },
    ],
  ] as const) {
    const response = await post(`${plumbline.url}${path}`, body)
    expect(await response.json()).toMatchObject({ status: 503, code: 'disk_full' })
    expect(response.headers.get('retry-after')).toBe('30')
  }

  await plumbline.stop('SIGTERM')
  plumbline = await startTarget('all', env)
  expect((await post(`${plumbline.url}/v1/predictions`, event)).status).toBe(200)
  expect(
    await ask(
      plumbline.clickhouseUrl,
      `SELECT prediction_id FROM predictions WHERE model_id = 'kept'`,
    ),
  ).toEqual([{ prediction_id: 'p-1' }])
})
