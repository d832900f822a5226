/** Finds the events of a window that least look like those of its baseline. */
import type { Model } from '../../../lib/models/model-files.ts'
import type { RuleExample } from '../data/expectations.ts'
import type { WindowCounts } from '../data/window-data.ts'
import { mostUnusual, unusualModel, type UnusualModel } from '../evaluate/expectations/unusual.ts'
import type { DriftQueries } from '../queries/drift-queries.ts'
import type { WindowReading } from './window-input.ts'

/** Rows of a baseline that are learned from; a forest sees 256 of them a tree. */
const LEARNED_ROWS = 2000

/** What was learned of baselines, as long as their counts are kept. */
const learned = new WeakMap<WindowCounts, { revision: string; model: UnusualModel | undefined }>()

/**
 * The most unusual of the events that are drawn of a window; none while the baseline is being
 * learned, and none beside an uploaded one, which has no rows.
 */
export async function unusualEvents(
  queries: Pick<DriftQueries, 'featureRows'>,
  model: Model,
  {
    due,
    baseline,
    baselineSpans,
    learning,
  }: Pick<WindowReading, 'due' | 'baseline' | 'baselineSpans' | 'learning'>,
): Promise<RuleExample[]> {
  const { unusualEvents: wanted, modelId, revision } = model
  if (!wanted || !baseline || !baselineSpans || learning) return []
  if (baselineSpans.countedAs !== undefined) return []
  let usual = learned.get(baseline.counts)
  if (usual?.revision !== revision) {
    const rows = await queries.featureRows({ modelId, spans: baseline.spans, most: LEARNED_ROWS })
    usual = { revision, model: unusualModel(rows.map(({ features }) => features)) }
    learned.set(baseline.counts, usual)
  }
  if (!usual.model) return []
  const spans = [{ start: due.start, end: due.end }]
  const candidates = await queries.featureRows({ modelId, spans, most: wanted.rows })
  return mostUnusual(usual.model, candidates, wanted.keep)
}
