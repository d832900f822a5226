import { expect, test } from 'vitest'
import { parseModel } from '../../../lib/models/model-files.ts'
import {
  failureReason,
  nextPass,
  parsePolicies,
  tickCause,
  windowCause,
  type Answer,
} from './policies.ts'

const HOUR = 3_600_000
const windows = (n: number, revision = 1) =>
  Array.from({ length: n }, (_, i) => ({ windowEnd: (i + 1) * HOUR, revision }))
const answers = (of: readonly { windowEnd: number }[], answer: Answer) =>
  new Map(of.map(({ windowEnd }) => [windowCause(windowEnd), answer]))

test('a pass has the oldest 200 unanswered windows, and tells of more', () => {
  const all = windows(450)
  const first = nextPass(all, new Map(), 1)!
  expect([first.windows.length, first.more]).toEqual([200, true])
  expect([first.since, first.until]).toEqual([HOUR, 200 * HOUR])
  const answered = answers(all.slice(0, 400), { launched: false, revision: 1 })
  const last = nextPass(all, answered, 3)!
  expect([last.windows.length, last.more]).toEqual([50, false])
  // 3 windows that the test counts and 16 that may be incomplete.
  expect(last.since).toBe((401 - 3 - 16) * HOUR)
})

test('an answered window comes again under a newer revision, unless it has launched a run', () => {
  const all = windows(1, 2)
  expect(nextPass(all, answers(all, { launched: false, revision: 1 }), 1)?.windows).toEqual(all)
  expect(nextPass(all, answers(all, { launched: false, revision: 2 }), 1)).toBeUndefined()
  expect(nextPass(all, answers(all, { launched: true, revision: 1 }), 1)).toBeUndefined()
})

test('ticks of one minute are one cause', () => {
  const minute = Date.UTC(2026, 0, 5, 3, 0)
  expect(tickCause(minute + 59_999)).toBe(tickCause(minute))
  expect(tickCause(minute + 60_000)).not.toBe(tickCause(minute))
})

test('a failure is told without characters that no store keeps', () => {
  expect(failureReason('a\u0007b\0\n')).toBe('it could not be evaluated: a b \n')
})

const LAUNCH = { kind: 'webhook', url: 'http://127.0.0.1:9/' }

test.each([
  ['any(drift, alarm)', ['window']],
  ['any(drift, alarm) or schedule("0 * * * *")', ['window', 'tick']],
  ['any(drift, alarm) and schedule("0 * * * *")', ['tick']],
  ['any(drift, alarm) and not schedule("0 * * * *")', ['window', 'tick']],
  ['labels.new > 5 and any(drift, alarm)', ['window', 'news']],
  ['alert("Late") and labels.new > 5', ['alert']],
  ['silent(for="2h")', ['news']],
  ['canary == worse', ['news']],
  ['canary == worse or any(drift, alarm)', ['window', 'news']],
  ['canary == worse and schedule("0 * * * *")', ['tick']],
])('%s is asked on %j', (when, wanted) => {
  const text = JSON.stringify({
    model_id: 'm',
    task: 'binary',
    retrain: [{ name: 'p', when, launch: LAUNCH, promote: { launch: LAUNCH } }],
  })
  const [policy] = parsePolicies([parseModel(text)]).get('m')!
  expect([...policy!.askedOn]).toEqual(wanted)
})
