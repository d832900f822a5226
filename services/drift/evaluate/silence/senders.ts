/**
 * Which producers, topics and sources of labels have fallen silent while the model goes on. Pure.
 */
import { countTail, MIN_COUNTS } from '../../../../lib/stats/window-tests/count-test.ts'
import { holm } from '../../../../lib/stats/window-tests/shift-test.ts'
import { largest, smallest } from '../../../../lib/stats/samples/extremes.ts'
import { metricResult, type MetricResult, type Verdict } from '../../data/metric-results.ts'
import type { Sender, Senders } from '../../data/senders.ts'
import { PRODUCER_WINDOWS, SOURCE_MS } from '../../plan/senders.ts'
import { ENDED } from './ended.ts'
import { FAMILY_SHARES, pValueVerdict } from '../thresholds.ts'

/** Share of what the family operations may alarm by chance that silent senders take. */
export const SENDERS_SHARE = 0.2

/** What the senders of a window are evaluated by. */
export interface SenderRules {
  /** Share of windows that may alarm by chance, over all families. */
  windowAlpha: number
  windowMs: number
  /** End of the window, epoch milliseconds. */
  end: number
  /** Events of the window, and of those before it. */
  events: number
  usual: readonly number[]
}

const DAY_MS = 86_400_000
const LABELS = { producer: 'producer', source: 'topic', label_source: 'label source' } as const

/** Whether a result is about one sender. */
export const isOfSender = ({ family, subject }: Pick<MetricResult, 'family' | 'subject'>) =>
  family === 'operations' && /^(producer|source|label_source)=/.test(subject)

/**
 * A row for each sender: events a second, `ok` where some came. One of which none came where eight
 * windows before say that some should is silent: on the budget, corrected for all senders. A
 * producer that was replaced by new ones is `ok`; one that left while the model's events are as
 * many as ever is a warning at most; after three windows it is taken to have ended, and its alarm
 * ends. Topics and sources of labels are told of for seven days.
 */
export function evaluateSenders({ senders, joined }: Senders, rules: SenderRules): MetricResult[] {
  const known = senders.filter(({ usual }) => usual.length >= MIN_COUNTS)
  const alpha = rules.windowAlpha * FAMILY_SHARES.operations * SENDERS_SHARE
  const silent = known.filter((sender) => sender.now === 0 && !isEnded(sender, rules))
  const adjusted = holm(
    silent.map(({ usual }) => countTail(0, usual) ?? 1),
    known.length,
  )
  const left = silent.filter(({ kind }) => kind === 'producer').length
  return known.flatMap((sender) => {
    if (sender.now > 0) return [resultOf(sender, rules, { verdict: 'ok' })]
    if (isEnded(sender, rules)) return endOf(sender, rules)
    const p = adjusted[silent.indexOf(sender)]!
    const { verdict, why } = softened(sender, pValueVerdict(p, alpha), {
      rules,
      isReplaced: joined >= left,
      joined,
    })
    return [
      resultOf(sender, rules, {
        verdict,
        p_value: countTail(0, sender.usual) ?? null,
        p_adjusted: p,
        reason: [silence(sender), usually(sender), why].filter(Boolean).join('; '),
      }),
    ]
  })
}

const isEnded = ({ kind, silentWindows, newest }: Sender, { end }: SenderRules) =>
  kind === 'producer' ? silentWindows > PRODUCER_WINDOWS : end - newest > SOURCE_MS

/** The one row that ends the alarm of a sender; of one that ended before, nothing. */
function endOf(sender: Sender, rules: SenderRules): MetricResult[] {
  if (sender.kind === 'producer' && sender.silentWindows > PRODUCER_WINDOWS + 1) return []
  return [
    resultOf(sender, rules, {
      verdict: 'none',
      reason: `${ENDED}: ${silence(sender)}, and is not waited for any longer`,
    }),
  ]
}

/** Producers come and go with releases and with load: that alone pages nobody. */
function softened(
  { kind }: Sender,
  verdict: Verdict,
  {
    rules: { events, usual },
    isReplaced,
    joined,
  }: { rules: SenderRules; isReplaced: boolean; joined: number },
): { verdict: Verdict; why: string } {
  if (kind !== 'producer' || verdict === 'ok') return { verdict, why: '' }
  if (isReplaced)
    return {
      verdict: 'ok',
      why: `${joined === 1 ? 'another producer' : `${joined} producers`} began to send: replaced`,
    }
  const isAsEver = usual.length > 0 && events >= smallest(usual)
  return isAsEver
    ? { verdict: 'warning', why: `the model has ${events} events, as many as usual` }
    : { verdict, why: '' }
}

const silence = ({ kind, name, newest }: Sender) =>
  kind === 'label_source'
    ? `no ${name.replaceAll('_', ' ')} label since ${instant(newest)}`
    : `${LABELS[kind]} ${name} has sent nothing since ${instant(newest)}`

const usually = ({ usual, kind }: Sender) => {
  const [low, high] = [smallest(usual), largest(usual)]
  const range = low === high ? String(low) : `${low} to ${high}`
  return `${range} ${kind === 'label_source' ? 'labels' : 'events'} came in each of ${usual.length} spans before`
}

const instant = (ms: number) => `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`

function resultOf(
  { kind, name, now, usual }: Sender,
  { windowMs }: SenderRules,
  more: Partial<MetricResult>,
): MetricResult {
  const isLabels = kind === 'label_source'
  const seconds = (isLabels ? Math.max(windowMs, DAY_MS) : windowMs) / 1000
  const mean = usual.reduce((sum, n) => sum + n, 0) / usual.length
  return metricResult(
    'operations',
    `${kind}=${name}`,
    isLabels ? 'labels_per_s' : 'throughput_per_s',
    now / seconds,
    { n_current: now, n_reference: usual.length, baseline_value: mean / seconds, ...more },
  )
}
