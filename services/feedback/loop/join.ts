/**
 * Joins labels with predictions, in either order of arrival, after any delay.
 *
 * Both sides are joined as they arrive: new labels are looked up among the stored predictions, and
 * new predictions among the waiting labels. A waiting label is not tried again. No pair is lost: a
 * label waits from the insert that stores it on, so whichever of a pair is read later finds the
 * other. An outcome is computed from all labels of its prediction, never from the newest alone, so
 * neither the order of arrival nor a batch that is done twice can matter. Progress is recorded once
 * the outcomes are written.
 */
import type { ClickHouse, Params } from '../../../lib/clickhouse/port.ts'
import type { Models } from '../../../lib/models/model-files.ts'
import { isStoredTopicOf } from '../../../lib/sources/topics.ts'
import { TOPICS } from '../../../schemas/topics.ts'
import { createArrivals, within, type Stretch } from '../queries/arrivals.ts'
import * as sql from '../queries/join-statements.ts'

/** The join of labels with predictions. */
export interface Join {
  /**
   * Joins one batch of what has arrived on either side.
   *
   * @returns the models that got outcomes, whether there is more to do at once, and whether labels
   *   wait for predictions
   * @throws what ClickHouse throws; the same batch, or a smaller one, is then tried by the next
   *   call
   */
  resolve: () => Promise<{ models: string[]; more: boolean; waits: boolean }>
}

/** How much one batch takes. */
export interface JoinOptions {
  /** About how many labels one batch takes; 400 000 unless given. */
  labels?: number
  /** About how many arrived predictions one batch takes; 500 000 unless given. */
  predictions?: number
}

const DEFAULT_PRECEDENCE = ['ground_truth', 'human_review', 'user_feedback', 'judge']
/** The part of its size down to which a failing batch is halved, until time and memory suffice. */
const SMALLEST_PART = 1 / 256

const isLabels = (topic: string) => topic === TOPICS.labels.topic || isStoredTopicOf(topic, 'label')
/** Topics that may hold predictions: there are several, and one without any costs little. */
const isOthers = (topic: string) =>
  !isLabels(topic) && topic !== TOPICS.attributes.topic && !isStoredTopicOf(topic, 'attributes')

/**
 * Makes a join that remembers in ClickHouse how far it has come; a model file may order the sources
 * of labels.
 */
export function createJoin(
  db: ClickHouse,
  models: Pick<Models, 'declared'>,
  { labels = 400_000, predictions = 500_000 }: JoinOptions = {},
): Join {
  const arrivals = createArrivals(db)
  let part = 1
  let swept = false

  /** Joins the stretches of one side and records that. */
  async function joinStretches(
    stretches: readonly Stretch[],
    ask: (batch: Params) => Promise<boolean>,
  ): Promise<string[]> {
    const changed = stretches.length === 0 ? [] : await inBatch(db, precedenceOf(models), ask)
    await arrivals.joined(stretches)
    return changed
  }

  async function joinArrived(): Promise<{ changed: string[]; waits: boolean }> {
    const [matters] = await db.query<{ waiting: string; unnamed: string }>(sql.ANYBODY)
    const waiting = Number(matters?.waiting) > 0
    const unnamed = Number(matters?.unnamed) > 0
    // This query follows the refresh: a label that is stored later finds these predictions itself.
    if (!waiting && !unnamed) {
      await arrivals.joined(arrivals.rest(isOthers))
      return { changed: [], waits: false }
    }
    const stretches = await arrivals.next(isOthers, Math.ceil(predictions * part))
    const changed = await joinStretches(stretches, (batch) =>
      askByPredictions(db, stretches, batch, { waiting, unnamed }),
    )
    return { changed, waits: true }
  }

  return {
    resolve: async () => {
      try {
        if (!swept) await sweep(db)
        swept = true
        await arrivals.refresh()
        const stretches = await arrivals.next(isLabels, Math.ceil(labels * part))
        const byLabels = await joinStretches(stretches, (batch) =>
          askByLabels(db, stretches, batch),
        )
        const byPredictions = await joinArrived()
        part = Math.min(1, part * 2)
        return {
          models: [...new Set([...byLabels, ...byPredictions.changed])],
          waits: byPredictions.waits,
          more: arrivals.rest((topic) => isLabels(topic) || isOthers(topic)).length > 0,
        }
      } catch (error) {
        part = Math.max(SMALLEST_PART, part / 2)
        throw error
      }
    },
  }
}

/**
 * Orders of label sources as parameters: the default first, then those of the models in `ranked`.
 */
type PrecedenceOf = (modelIds: readonly string[]) => Params

function precedenceOf(models: Pick<Models, 'declared'>): PrecedenceOf {
  const own = new Map(
    models.declared
      .filter((model) => model.labels.precedence.join() !== DEFAULT_PRECEDENCE.join())
      .map((model) => [model.modelId, model.labels.precedence]),
  )
  const byMajority = new Set(
    models.declared
      .filter(({ labels }) => labels.resolve === 'majority')
      .map(({ modelId }) => modelId),
  )
  return (modelIds) => {
    const ranked = modelIds.filter((id) => own.has(id))
    return {
      ranked,
      orders: [DEFAULT_PRECEDENCE, ...ranked.map((id) => own.get(id)!)],
      majority: modelIds.filter((id) => byMajority.has(id)),
    }
  }
}

/**
 * Writes outcomes for the predictions that `ask` puts into the batch, as far as they are stored,
 * and takes their labels off the queue.
 *
 * @returns the models that got outcomes
 */
async function inBatch(
  db: ClickHouse,
  precedence: PrecedenceOf,
  ask: (batch: Params) => Promise<boolean>,
): Promise<string[]> {
  const id = batchId()
  const batch = { batch: id }
  let isEmpty = false
  try {
    const withUnnamed = await ask(batch)
    // Most new predictions have no waiting label.
    isEmpty = (await db.query(sql.ANY_ASKED, batch)).length === 0
    if (isEmpty) return []
    await db.command(sql.FIND, batch)
    const rows = await db.query<{ model_id: string }>(sql.MODELS, batch)
    const changed = rows.map((row) => row.model_id)
    if (changed.length === 0) return []
    await db.command(sql.outcomes(withUnnamed), { ...batch, ...precedence(changed) })
    await db.command(sql.TAKE_OFF, batch)
    if (withUnnamed) await db.command(sql.TAKE_OFF_ADDRESSED, batch)
    return changed
  } finally {
    if (!isEmpty) await db.command(`ALTER TABLE labels_joining DROP PARTITION ${id}`)
  }
}

/**
 * Puts the predictions of new labels into the batch.
 *
 * @returns whether some of the labels name a trace or a subject
 */
async function askByLabels(
  db: ClickHouse,
  stretches: readonly Stretch[],
  batch: Params,
): Promise<boolean> {
  const { condition, params } = within(stretches)
  const all = { ...params, ...batch }
  const labels = sql.labelsOf(condition)
  const [counts] = await db.query<{ unnamed: string }>(labels.count, params)
  const unnamed = Number(counts?.unnamed) > 0
  await db.command(labels.ask, all)
  if (unnamed) {
    await db.command(labels.address, params)
    await db.command(labels.askAddressed, all)
  }
  // Another label of the same prediction may name a trace or a subject.
  return unnamed || (await anyUnnamed(db))
}

/** Puts those of the new predictions into the batch that labels wait for, or were found to mean. */
async function askByPredictions(
  db: ClickHouse,
  stretches: readonly Stretch[],
  batch: Params,
  { waiting, unnamed }: { waiting: boolean; unnamed: boolean },
): Promise<boolean> {
  const { condition, params } = within(stretches)
  const all = { ...params, ...batch }
  const predictions = sql.predictionsOf(condition)
  if (waiting) await db.command(predictions.ask, all)
  if (unnamed) {
    await db.command(predictions.address, params)
    await db.command(predictions.askAddressed, all)
  }
  return unnamed
}

async function anyUnnamed(db: ClickHouse): Promise<boolean> {
  const [row] = await db.query<{ unnamed: string }>(sql.ANYBODY)
  return Number(row?.unnamed) > 0
}

/** A number that no other batch has: its time, and random digits. */
const batchId = () => Date.now() * 1000 + Math.floor(Math.random() * 1000)

/** Removes what batches of killed processes have left: no batch at work is an hour old. */
async function sweep(db: ClickHouse): Promise<void> {
  const old = await db.query<{ batch: string }>(
    'SELECT DISTINCT batch FROM labels_joining WHERE batch < {before:UInt64}',
    { before: (Date.now() - 3_600_000) * 1000 },
  )
  for (const { batch } of old)
    await db.command(`ALTER TABLE labels_joining DROP PARTITION ${batch}`)
}
