import { expect, test } from 'vitest'
import { consumerHealth } from './consumer-health.ts'

test('a consumer without a place, and a partition that stands still, are told once patience is over', () => {
  let now = 0
  const health = consumerHealth({ now: () => now, patienceMs: 60_000 })
  health.begins('ingest of predictions')
  health.begins('feedback of labels')
  now = 61_000
  health.isMember('feedback of labels')
  health.standsStill('predictions', '2', 'no room')
  expect(health.problems()).toEqual([
    'ingest of predictions has had no place in its group for 61 s',
  ])

  now = 130_000
  health.isMember('ingest of predictions')
  health.isMember('feedback of labels')
  // Why it stands still is what was said last, since when is what was said first.
  health.standsStill('predictions', '2', 'refused')
  expect(health.problems()).toEqual(['partition 2 of predictions stands still for 69 s: refused'])

  health.goesOn('predictions', '2')
  health.ends('feedback of labels')
  now = 135_000
  expect(health.problems()).toEqual([])
})

test('a partition that stands still is told of no more once another process has it', () => {
  let now = 0
  const health = consumerHealth({ now: () => now, patienceMs: 1000 })
  for (const partition of ['0', '1']) health.standsStill('predictions', partition, 'no room')
  health.standsStill('labels', '0', 'no room')
  now = 2000
  health.owns('predictions', [1, 2])
  // Tried again: why it stands still is known.
  health.standsStill('predictions', '1')
  expect(health.problems()).toEqual([
    'partition 1 of predictions stands still for 2 s: no room',
    'partition 0 of labels stands still for 2 s: no room',
  ])
})
