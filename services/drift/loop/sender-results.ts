/** Evaluates who sent nothing in a window of a live model: producers, topics, sources of labels. */
import type { MetricResult } from '../data/metric-results.ts'
import type { SenderKind } from '../data/senders.ts'
import { evaluateSenders } from '../evaluate/silence/senders.ts'
import { overridden, windowAlphaOf } from '../evaluate/thresholds.ts'
import { isCountable, labelSpans, senderOf, toldSince, type SenderSpans } from '../plan/senders.ts'
import type { SenderCounts } from '../queries/senders/sender-counts.ts'
import { MIN_COUNTS } from '../../../lib/stats/window-tests/count-test.ts'
import type { WindowQuestion, WindowReaderParts, WindowReading } from './window-input.ts'

/**
 * One result for each sender that is evaluated; none of a model that is not live, or has fewer than
 * eight windows.
 *
 * @throws what ClickHouse throws
 */
export async function senderResults(
  { queries, model, state }: Pick<WindowReaderParts, 'queries' | 'model' | 'state'>,
  { due, earlierWindows }: WindowQuestion,
  { usual }: Pick<WindowReading, 'usual'>,
): Promise<MetricResult[]> {
  const window = { start: due.start, end: due.end }
  if (!usual || usual.length < MIN_COUNTS || !isCountable(window)) return []
  const { modelId } = model
  const served = [
    ...earlierWindows.filter(({ end, events }) => end < due.end && events > 0),
    window,
  ]
  const read = async (kind: SenderKind, spans: SenderSpans) => {
    // The only producer, or the only topic, sends what the model as a whole is evaluated by.
    if ((state.senderKinds.get(kind) ?? 0) < (kind === 'label_source' ? 1 : 2)) return []
    const since = toldSince(kind, window, served)
    const found = await queries.senders({ modelId, kind, ...spans, since })
    return found
      .filter(isToldApart)
      .map((one) => ({ joined: one.joined, sender: senderOf(one, spans, served) }))
  }
  const producers = await read('producer', { window, usual })
  const sources = await read('source', { window, usual })
  const labels = await read('label_source', labelSpans(window, usual))
  const results = evaluateSenders(
    {
      senders: [...producers, ...sources, ...labels].map(({ sender }) => sender),
      joined: producers[0]?.joined ?? 0,
    },
    {
      windowAlpha: windowAlphaOf(model, window),
      windowMs: due.end - due.start,
      end: due.end,
      events: due.events,
      usual: usual.map(({ events }) => events),
    },
  )
  return results.map((result) => overridden(result, model.overrides))
}

/**
 * Tells whether senders are told apart: where many were, one may be left that is the model as a
 * whole.
 */
const isToldApart = ({ kind, of }: SenderCounts) => kind === 'label_source' || of > 1
