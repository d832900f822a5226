/**
 * Writes what was said of windows.
 *
 * A revision is written in this order: 1. its results and examples, 2. its verdicts, 3. the inputs it
 * was made from, 4. the verdicts to their topic. Cut off before 3, the window is still due and comes again
 * with a higher revision; cut off before 4, the verdicts are in the table, which their readers
 * re-read. Models that are evaluated side by side share their inserts: parts are what costs, not
 * rows.
 */
import { createHash } from 'node:crypto'
import type { ClickHouse, Row } from '../../../lib/clickhouse/port.ts'
import type { EventLog } from '../../../lib/event-log/port.ts'
import { encodeBlock } from '../../../lib/clickhouse/native/block.ts'
import { gathered } from '../../../lib/clickhouse/request-batcher.ts'
import type { Model } from '../../../lib/models/model-files.ts'
import { TOPICS } from '../../../schemas/topics.ts'
import type { Worst } from '../plan/episodes.ts'
import { resultKey, type MetricResult } from '../data/metric-results.ts'
import { ENDED } from '../evaluate/silence/ended.ts'
import { LEARNING, PART_OF_REFERENCE } from '../evaluate/learning.ts'
import { metricBlock } from './metric-block.ts'
import { sliceColumns, tokenOf, verdictRowsOf, type RevisionKey } from './rows.ts'
import type { Due } from '../plan/due-windows.ts'

/** What one evaluation changed of one cohort of a window. */
export interface Revision {
  key: RevisionKey
  /** What differs from the revision before, and that one. */
  changed: readonly MetricResult[]
  before: ReadonlyMap<string, MetricResult>
}

/** A window whose results are to be written. */
export interface EvaluatedWindow {
  model: Model
  due: Due
  worst: Worst
  /** Some drift verdict of it is an alarm. */
  alarmed: boolean
  /** Rows of `window_examples`; none unless given. */
  examples?: readonly Row[]
  /** What it alarms of, in one sentence; '' where nothing alarms. */
  headline: string
}

/** Rows for a table, and the token under which they go into it. */
interface Asked {
  table: string
  rows: readonly Row[]
  token: string
}

/** Results of one window for `window_metrics`. */
interface AskedResults {
  revisions: readonly Revision[]
  token: string
}

/** Rows of one insert; a larger one would be no faster. */
const MAX_ROWS = 2500

/**
 * Writes all cohorts of one window: metric results, verdicts, revisions, then messages. Rejects
 * where a store or the log does not take them; the whole is then written again.
 */
export type WriteRevisions = (
  window: EvaluatedWindow,
  revisions: readonly Revision[],
) => Promise<void>

/**
 * A writer whose inserts are gathered over the models of a process. Writing the same revision twice
 * adds no row.
 */
export function revisionWriter(db: ClickHouse, eventLog: Pick<EventLog, 'append'>): WriteRevisions {
  const insert = gathered(
    ({ table }: Asked) => table,
    async (asked) => {
      for (const some of parts(asked, ({ rows }) => rows.length))
        await db.insertRows(
          some[0]!.table,
          some.flatMap(({ rows }) => rows),
          tokenOfAll(some),
        )
      return asked.map(() => undefined)
    },
    ONCE,
  )
  const insertResults = resultsWriter(db)

  return async (window, revisions) => {
    const token = revisions.map(({ key }) => tokenOf(key)).join('\u0002')
    const verdicts = revisions.flatMap(verdictRows)
    await insertResults({ revisions, token })
    const { examples = [] } = window
    if (examples.length > 0) await insert({ table: 'window_examples', rows: examples, token })
    await insert({ table: 'verdicts', rows: verdicts, token })
    await insert({
      table: 'window_revisions',
      rows: revisions.map(({ key }) => revisionRow(window, key)),
      token,
    })
    await eventLog.append(
      TOPICS.verdicts.topic,
      verdicts
        .filter(({ verdict, previous_verdict: previous }) => verdict !== 'none' || previous !== '')
        .map((row) => ({
          key: window.model.modelId,
          value: JSON.stringify({ ...row, headline: window.headline }),
        })),
    )
  }
}

/** What was stored under one token must not be stored again under another. */
const ONCE = { alone: false }

/**
 * A writer of results, the widest and most of all rows: blocks of columns cost ClickHouse and this
 * process less than text. One block is filled at a time, since that of many models would take
 * hundreds of megabytes.
 */
function resultsWriter(db: ClickHouse): (asked: AskedResults) => Promise<void> {
  const block = metricBlock()
  return gathered(
    () => '',
    async (asked) => {
      for (const some of parts(asked, ({ revisions }) =>
        revisions.reduce((sum, { changed }) => sum + changed.length, 0),
      )) {
        block.clear()
        for (const { key, changed } of some.flatMap(({ revisions }) => revisions))
          block.add(changed, key)
        const encoded = encodeBlock(block)
        if (encoded)
          await db.insertBlock({ table: 'window_metrics', ...encoded, token: tokenOfAll(some) })
      }
      return asked.map(() => undefined)
    },
    ONCE,
  )
}

/** Cuts what is asked for into parts of at least {@link MAX_ROWS} rows but the last. */
function* parts<T>(asked: readonly T[], rowsOf: (one: T) => number): Generator<T[]> {
  let part: T[] = []
  let rows = 0
  for (const one of asked) {
    part.push(one)
    rows += rowsOf(one)
    if (rows < MAX_ROWS) continue
    yield part
    part = []
    rows = 0
  }
  if (part.length > 0) yield part
}

const tokenOfAll = (asked: readonly { token: string }[]) =>
  createHash('sha256')
    .update(asked.map(({ token }) => token).join('\u0003'))
    .digest('hex')

/**
 * Whether a metric that is evaluated otherwise has no verdict in this window: its baseline is being
 * learned, the window is part of it, or what it was about has ended. An alarm of an earlier window ends then, which only a row
 * can say.
 */
const isSuspended = ({ verdict, reason }: MetricResult) =>
  verdict === 'none' &&
  (reason.startsWith(LEARNING) || reason === PART_OF_REFERENCE || reason.startsWith(ENDED))

/** Rows of the results that have a verdict, had one in the revision before, or lack it for now. */
function verdictRows({ key, changed, before }: Revision) {
  const rowOf = verdictRowsOf(key)
  return changed.flatMap((result) => {
    const previous = before.size > 0 ? (before.get(resultKey(result))?.verdict ?? '') : ''
    const isOne = result.verdict !== 'none' || (previous !== '' && previous !== 'none')
    return isOne || isSuspended(result) ? [rowOf(result, previous)] : []
  })
}

const revisionRow = ({ model, due, worst, alarmed }: EvaluatedWindow, key: RevisionKey): Row => ({
  model_id: model.modelId,
  model_version: key.cohort.modelVersion,
  variant: key.cohort.variant,
  ...sliceColumns(key.cohort),
  window_start: new Date(due.start).toISOString(),
  window_end: new Date(due.end).toISOString(),
  revision: key.revision,
  events: due.events,
  outcome_changes: due.changes,
  maturity: due.maturity,
  worst,
  drift_alarm: alarmed,
  episode_id: key.episode,
  policy_revision: model.revision,
  computed_at: new Date(key.computedAt).toISOString(),
})
