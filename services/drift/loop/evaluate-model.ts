/**
 * One pass over a model: 1. what is due, 2. its state, 3. each window in turn, until the pass is
 * full.
 */
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import type { EventLog } from '../../../lib/event-log/port.ts'
import type { Model } from '../../../lib/models/model-files.ts'
import { dueWindows, progressOf, type Due } from '../plan/due-windows.ts'
import { pastWindows, type PastWindows } from '../plan/past-windows.ts'
import { toFreeze } from '../plan/references.ts'
import { createTurns, type Turns } from '../plan/turns.ts'
import type { Gauges } from '../publish/prometheus-gauges.ts'
import { revisionWriter } from '../publish/revisions.ts'
import type { DriftQueries } from '../queries/drift-queries.ts'
import type { ModelProgress } from '../queries/progress-queries.ts'
import type { verdictFeedbackQueries } from '../queries/verdict-feedback.ts'
import { evaluateWindow, type EvaluationParts } from './evaluate-window.ts'
import { evaluateSilence } from './evaluate-silence.ts'
import { withLearnedHorizon, type HorizonLooks } from './learn-horizon.ts'
import type { TellFailure } from './failures.ts'
import { createReferenceCache, type ReferenceCache } from './reading/reference-cache.ts'
import { NO_PRIVACY, type Privacy } from '../../../lib/events/privacy/redactor.ts'
import { tableLoader, type TablesLooked } from './load-tables.ts'
import { readAhead } from './reading/read-ahead.ts'
import { globalStateReader, loadModelState } from './model-state.ts'

/** What one evaluator of a process needs. */
export interface EvaluatorOptions {
  db: ClickHouse
  queries: DriftQueries
  decisions: ReturnType<typeof verdictFeedbackQueries>
  eventLog: Pick<EventLog, 'append'>
  gauges: Gauges
  /** What model files take out of tables; nothing unless given, which a model with rules is refused. */
  privacy?: Privacy
  now: () => number
  /** What the evaluators of one process share; of this one alone unless given. */
  shared?: Shared
  /** Is told of windows that could not be evaluated; unless given, the first failure is thrown. */
  tell?: TellFailure
  /** How long verdict feedback is remembered, in milliseconds; 1000 unless given. */
  stateForMs?: number
}

/**
 * What evaluators of one process know together: a model is evaluated now by one of them, now by
 * another.
 */
export interface Shared {
  /** When windows may be evaluated again. */
  turns: Turns
  /** References that were read. */
  references: ReferenceCache
  /**
   * Models of which nothing is half written: this process has evaluated all that was due of them,
   * and none has failed since.
   */
  whole: Set<string>
  /** Tables of model files that were looked at. */
  tables: TablesLooked
  /** When delays of labels were last looked at. */
  horizonLooks: HorizonLooks
}

/** State of a process that has evaluated nothing yet. */
export const createShared = (): Shared => ({
  turns: createTurns(),
  references: createReferenceCache(),
  whole: new Set(),
  tables: new Map(),
  horizonLooks: new Map(),
})

/** What one pass over a model's windows came to. */
export interface Pass {
  /** Windows that could not be evaluated. */
  failures: number
  /** When to come back for what had to wait, epoch milliseconds; undefined when nothing waits. */
  comeBack: number | undefined
}

/**
 * Evaluates what is due of a model, as far as one pass goes; `isOwned` says whether it is still
 * this process' model.
 */
export type EvaluateModel = (
  model: Model,
  progress: ModelProgress,
  isOwned: () => boolean,
) => Promise<Pass>

const NOTHING: Pass = { failures: 0, comeBack: undefined }
const STATE_FOR_MS = 1000
/** Windows of a model before others have their turn; what is left comes right after them. */
const MAX_WINDOWS = 100
const MAX_MS = 5000
/** Windows of a model that may fail in one pass, before it waits. */
const MAX_FAILURES = 3
/**
 * Between two restatements of one window; labels that stream in must not keep an evaluator busy
 * with one model.
 */
const MIN_REST_MS = 10_000
/** Rest as a multiple of how long the last evaluation took. */
const REST_FACTOR = 10

/** The parts of one pass, before anything is read ahead. */
interface ModelPass extends Omit<EvaluationParts, 'references'> {
  shared: Shared
  tell: TellFailure | undefined
  isOwned: () => boolean
  past: PastWindows
}

/** The parts of one pass. */
type PassParts = ModelPass & EvaluationParts

/** @returns evaluates models on one connection, one at a time or several side by side */
export function createModelEvaluator(options: EvaluatorOptions): EvaluateModel {
  const { queries, gauges, now, tell } = options
  const shared = options.shared ?? createShared()
  const loadTables = tableLoader(queries, shared.tables, options.privacy ?? NO_PRIVACY, now)
  const write = revisionWriter(options.db, options.eventLog)
  const globalState = globalStateReader({
    ...options,
    keptForMs: options.stateForMs ?? STATE_FOR_MS,
  })

  const horizons = { queries, looks: shared.horizonLooks, now, tell }
  return async (declared, progress, isOwned) => {
    const { steps, partitions, evaluated } = progress
    const at = now()
    const reached = progressOf(partitions, declared, at)
    const model = await withLearnedHorizon(horizons, declared, progress, reached.live ?? false)
    const due = dueWindows(steps, evaluated, reached, model, at)
    if (due.length === 0) return NOTHING
    const windows = evaluated.length + due.length
    const asOf = { reached, now: at, windows }
    const unread = await loadTables(model)
    const known = await loadModelState(queries, model, await globalState(), asOf)
    const state = { ...known, unread }
    const past = pastWindows(evaluated)
    return evaluateEach(
      { queries, model, steps, state, write, gauges, now, shared, tell, isOwned, past },
      due,
    )
  }
}

/** Evaluates due windows in turn; what fails waits, and the rest goes on. */
async function evaluateEach(pass: ModelPass, due: readonly Due[]): Promise<Pass> {
  const { now, model, shared } = pass
  const isWhole = shared.whole.has(model.modelId)
  const ahead = readAhead({ ...pass, cache: shared.references, isWhole }, due)
  const parts = { ...pass, queries: ahead.queries, references: ahead.references }
  const begun = now()
  let comeBack: number | undefined
  let looked = 0
  let failures = 0
  for (const [position, window] of due.entries()) {
    const waitUntil = shared.turns.waitsUntil(model.modelId, window, window.restates)
    if (now() < waitUntil) {
      comeBack = Math.min(comeBack ?? Infinity, waitUntil)
      continue
    }
    // Each window takes a while, and other things wait too.
    await new Promise((resolve) => setImmediate(resolve))
    if (!parts.isOwned()) return { failures, comeBack: undefined }
    if (looked++ === MAX_WINDOWS || now() - begun > MAX_MS) return { failures, comeBack: now() }
    await ahead.reach(position)
    const failedUntil = await evaluateOrTell(parts, window)
    if (failedUntil === undefined) continue
    comeBack = Math.min(comeBack ?? Infinity, failedUntil)
    if (++failures === MAX_FAILURES) break
  }
  if (failures === 0 && comeBack === undefined) shared.whole.add(model.modelId)
  return { failures, comeBack }
}

/**
 * @returns until when the window waits where it failed, epoch milliseconds; undefined where it did
 * not
 */
async function evaluateOrTell(parts: PassParts, window: Due): Promise<number | undefined> {
  const { model, shared, tell, now } = parts
  try {
    await evaluateDue(parts, window)
    return undefined
  } catch (error) {
    shared.whole.delete(model.modelId)
    if (!tell) throw error
    // Where all windows fail alike, the store is away.
    const attempts = shared.turns.failed(model.modelId, window, now())
    await tell({ modelId: model.modelId, window, attempts, error })
    return shared.turns.waitsUntil(model.modelId, window, window.restates)
  }
}

/** Evaluates one window, and freezes the references that it completes. */
async function evaluateDue(parts: PassParts, window: Due): Promise<void> {
  const { model, queries, shared, state, past, now } = parts
  const begun = now()
  const isWhole = shared.whole.has(model.modelId)
  const question = { due: window, earlierWindows: past.all, isWhole }
  const outcome =
    window.events === 0
      ? await evaluateSilence(parts, question)
      : await evaluateWindow(parts, question)
  const { start, end, events } = window
  past.put({ start, end, events, ...outcome })
  for (const { name, window: span } of toFreeze(model, past.all, state.frozen)) {
    await queries.freezeReference({ modelId: model.modelId, name, span }, now())
    state.frozen.set(name, span)
  }
  const rest = Math.max(MIN_REST_MS, REST_FACTOR * (now() - begun))
  shared.turns.evaluated(model.modelId, window, window.restates ? now() + rest : 0)
}
