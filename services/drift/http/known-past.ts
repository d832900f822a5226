/** What is known of a model's past, as plans need it. */
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import type { Model } from '../../../lib/models/model-files.ts'
import { windowMs } from '../../../lib/models/windows.ts'
import type { Past } from '../plan/learning.ts'
import { frozenSpans, putReferences } from '../plan/stored-references.ts'
import type { DriftQueries } from '../queries/drift-queries.ts'
import { verdictFeedbackQueries } from '../queries/verdict-feedback.ts'

/** Reads it from the stores. @throws what ClickHouse throws */
export async function knownPast(
  { db, queries }: { db: ClickHouse; queries: DriftQueries },
  model: Model,
): Promise<Past> {
  const { modelId } = model
  const stored = await queries.referencesOf(modelId)
  const progress = await queries.progress([model])
  const accepted = await verdictFeedbackQueries(db).accepted()
  return {
    windows: progress.get(modelId)?.evaluated ?? [],
    frozen: frozenSpans(stored, modelId),
    accepted: accepted.get(modelId) ?? [],
    put: putReferences(stored, modelId),
    promotions: await queries.promotions({ modelId, length: windowMs(model.windows) }),
  }
}
