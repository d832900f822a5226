/** Who is silent while the model goes on, and who has only been replaced. */
import { expect, test } from 'vitest'
import { uniforms } from '../../../../lib/stats/distributions/random.ts'
import type { Sender } from '../../data/senders.ts'
import { evaluateSenders, type SenderRules } from './senders.ts'

const HOUR = 3_600_000
const END = Date.UTC(2026, 0, 5, 12)
const USUAL = [48, 51, 50, 49, 52, 50, 47, 53, 50, 51]
const sender = (more: Partial<Sender> = {}): Sender => ({
  kind: 'producer',
  name: 'pod-7',
  now: 0,
  usual: USUAL,
  newest: END - 1.3 * HOUR,
  silentWindows: 1,
  ...more,
})
const rules = (more: Partial<SenderRules> = {}): SenderRules => ({
  windowAlpha: 0.01,
  windowMs: HOUR,
  end: END,
  events: 450,
  usual: [500, 505, 495, 490],
  ...more,
})
const others = Array.from({ length: 9 }, (_, i) => sender({ name: `pod-${i + 10}`, now: 50 }))
const of = (
  one: Partial<Sender>,
  { joined = 0, ...more }: Partial<SenderRules> & { joined?: number } = {},
) => evaluateSenders({ senders: [sender(one), ...others], joined }, rules(more))[0]

test('a producer that stopped alarms, and its reason says who and since when', () => {
  expect(of({})).toMatchObject({
    family: 'operations',
    subject: 'producer=pod-7',
    metric: 'throughput_per_s',
    value: 0,
    verdict: 'alarm',
    reason:
      'producer pod-7 has sent nothing since 2026-01-05 10:42 UTC; 47 to 53 events came in each of 10 spans before',
  })
})

test('one whose load the others took over is a warning, one that was replaced is calm', () => {
  expect(of({}, { events: 498 })?.verdict).toBe('warning')
  expect(of({}, { joined: 1 })).toMatchObject({
    verdict: 'ok',
    reason: expect.stringContaining('another producer began to send: replaced'),
  })
})

test('a producer is told of for three windows, then ends once, then has no row', () => {
  expect(of({ silentWindows: 3 })?.verdict).toBe('alarm')
  expect(of({ silentWindows: 4 })).toMatchObject({
    verdict: 'none',
    reason: expect.stringMatching(/^ended: producer pod-7 has sent nothing since/),
  })
  expect(evaluateSenders({ senders: [sender({ silentWindows: 5 })], joined: 0 }, rules())).toEqual(
    [],
  )
})

test('labels and topics are told of for a week, whatever the model sends', () => {
  const labels = {
    kind: 'label_source',
    name: 'ground_truth',
    newest: END - 4 * 24 * HOUR,
  } as const
  expect(of({ ...labels, silentWindows: 96 }, { events: 500 })).toMatchObject({
    subject: 'label_source=ground_truth',
    metric: 'labels_per_s',
    verdict: 'alarm',
    reason: expect.stringMatching(/^no ground truth label since 2026-01-01 12:00 UTC; /),
  })
  expect(of({ ...labels, newest: END - 8 * 24 * HOUR })?.verdict).toBe('none')
  expect(of({ kind: 'source', name: 'orders' })?.reason).toMatch(/^topic orders has sent nothing/)
})

test('one that is new, or that often sends nothing, is not silent; one that sends is ok', () => {
  expect(of({ usual: USUAL.slice(0, 7) })).not.toMatchObject({ subject: 'producer=pod-7' })
  expect(of({ usual: [0, 3, 0, 0, 5, 0, 0, 0, 9, 0] })?.verdict).toBe('ok')
  expect(of({ now: 12 })).toMatchObject({ value: 12 / 3600, verdict: 'ok', reason: '' })
})

test('twenty producers that send at their own pace cost less than their share of the budget', () => {
  const random = uniforms(7)
  const poisson = (mean: number) => {
    let [n, left] = [0, Math.exp(-mean)]
    for (let p = random(); p > left; p *= random()) n++
    return n
  }
  const windowAlpha = 0.05
  let alarms = 0
  const windows = 2000
  for (let i = 0; i < windows; i++) {
    const senders = Array.from({ length: 20 }, (_, k) => {
      const counts = Array.from({ length: 13 }, () => poisson(1 + (k % 5)))
      return sender({ name: `p${k}`, now: counts[0]!, usual: counts.slice(1) })
    })
    const results = evaluateSenders({ senders, joined: 0 }, rules({ windowAlpha, events: 0 }))
    if (results.some(({ verdict }) => verdict === 'alarm')) alarms++
  }
  expect(alarms / windows).toBeLessThan(windowAlpha * 0.1 * 0.2 + 0.001)
})
