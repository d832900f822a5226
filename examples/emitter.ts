/**
 * Serves the Elec2 model and tells Plumbline what it predicted, replaying the stream in event time. Each label
 * comes 24 stream-hours after its prediction. The pace is Plumbline's own: a week is begun only when the week before it has been judged
 * and its retraining has ended, so the result does not depend on how fast the machine is.
 */
import { ELEC2_FEATURES, readElec2, type Elec2Row } from './elec2.ts'
import { predict, train, type LogisticModel } from './logistic-regression.ts'
import { plumblineClient } from './plumbline-client.ts'
import { loadModel, saveModel } from './registry.ts'

const WEEK_MS = 7 * 86_400_000
const LABEL_DELAY_MS = 86_400_000
/** The first version learns from these rows, which are therefore predicted out of fold. */
const TRAINING_ROWS = 6000
const FOLDS = 5
/** Looking costs what is waited for: soon at first, then less often. */
const POLL_MS = 100
const LONGEST_POLL_MS = 400
const PATIENCE_MS = 300_000

const env = (name: string) => process.env[name] ?? ''
const registry = env('REGISTRY_DIR')
const client = plumblineClient(env('PLUMBLINE_URL'), env('CLICKHOUSE_URL'))
const rows = readElec2().slice(0, Number(env('EMITTER_ROWS') || Infinity))
const first = train(
  ELEC2_FEATURES,
  rows.slice(0, TRAINING_ROWS).map((row) => row.values),
  rows.slice(0, TRAINING_ROWS).map((row) => row.label),
)
const outOfFold = crossValidated(rows.slice(0, TRAINING_ROWS))
saveModel(registry, '1', first)

let live: { version: string; model: LogisticModel } = { version: '1', model: first }
/** Predictions whose truth is not out yet, oldest first. */
const awaiting: { due: number; row: Elec2Row; predictionId: string }[] = []
/** By the end of a window the newest revision that was answered for and was not its last. */
const settledBy = new Map<number, number>()
let predictionsSent = 0
let labelsSent = 0

const weeks = [...Map.groupBy(rows, (row) => Math.floor(row.at / WEEK_MS))]
for (const [number, [week, weekRows]] of weeks.entries()) {
  const start = week * WEEK_MS
  // Until the last truth of the week before is out, and has been joined …
  await emit(
    weekRows.filter((row) => row.at < start + LABEL_DELAY_MS),
    start + LABEL_DELAY_MS,
  )
  await until('every event is stored', isStored)
  // … and only then on, so that no watermark passes the label horizon before its labels.
  await emit(
    weekRows.filter((row) => row.at >= start + LABEL_DELAY_MS),
    start + WEEK_MS,
  )
  if (number > 0)
    await until(`the week that ends ${new Date(start).toISOString()} is judged`, () =>
      isSettled(start),
    )
  await adoptNewVersion()
  if (number % 13 === 12)
    console.log(
      `  ${new Date(start + WEEK_MS).toISOString().slice(0, 10)}: ${predictionsSent} predictions, ${labelsSent} labels, version ${live.version} serves`,
    )
}

/** Predictions of these rows, with the labels that come due before `until`, in the order of stream time. */
async function emit(some: readonly Elec2Row[], limit: number) {
  const predictions = some.flatMap((row) => [
    event(row, live.version, live.model, false),
    ...(live.version === '1' ? [] : [event(row, '1', first, true)]),
  ])
  for (const row of some) {
    awaiting.push({
      due: row.at + LABEL_DELAY_MS,
      row,
      predictionId: idOf(row, live.version, false),
    })
    if (live.version !== '1')
      awaiting.push({ due: row.at + LABEL_DELAY_MS, row, predictionId: idOf(row, '1', true) })
  }
  const later = awaiting.findIndex((label) => label.due >= limit)
  const due = awaiting.splice(0, later === -1 ? awaiting.length : later)
  await client.sendPredictions(predictions)
  await client.sendLabels(
    due.map(({ row, predictionId, due: at }) => ({
      label_id: `truth-${predictionId}`,
      model_id: 'elec2',
      prediction_id: predictionId,
      label: String(row.label),
      labelled_at: new Date(at).toISOString(),
      source: 'ground_truth',
    })),
  )
  predictionsSent += predictions.length
  labelsSent += due.length
}

function idOf(row: Elec2Row, version: string, shadow: boolean): string {
  return shadow ? `shadow-${version}-${row.index}` : `row-${row.index}`
}

function event(row: Elec2Row, version: string, model: LogisticModel, shadow: boolean) {
  const score =
    version === '1' && row.index < TRAINING_ROWS
      ? outOfFold[row.index]!
      : predict(model, row.values)
  return {
    prediction_id: idOf(row, version, shadow),
    model_id: 'elec2',
    model_version: version,
    predicted_at: new Date(row.at).toISOString(),
    prediction: score >= 0.5 ? '1' : '0',
    score,
    shadow,
    request_id: `request-${row.index}`,
    features: Object.fromEntries(ELEC2_FEATURES.map((name, i) => [name, row.values[i]])),
  }
}

async function isStored(): Promise<boolean> {
  const [stored] = await client.query<{ predictions: string; outcomes: string }>(
    `SELECT (SELECT sum(events) FROM event_counts WHERE model_id = 'elec2') AS predictions,
            (SELECT sum(changes) FROM outcome_changes WHERE model_id = 'elec2') AS outcomes`,
  )
  return Number(stored?.predictions) >= predictionsSent && Number(stored?.outcomes) >= labelsSent
}

/**
 * The window's mature revision exists, its policies have answered for it, and no run is open. Asked in the order of what it costs:
 * before there is an answer, ClickHouse need not be asked which revision it must be of.
 */
async function isSettled(windowEnd: number): Promise<boolean> {
  const { decisions } = await client.get<{
    decisions: { cause: string; action: string; evidence_revision: number }[]
  }>('/v1/decisions?model_id=elec2')
  const answer = decisions.find(
    (decision) => decision.cause === `window:${new Date(windowEnd).toISOString()}`,
  )
  // What has launched is not answered for again, whatever revisions follow.
  if (answer?.action === 'launch') return (await openRuns()).length === 0
  // An answer that was looked at before and was of an earlier revision says nothing new.
  if (!answer || answer.evidence_revision <= (settledBy.get(windowEnd) ?? 0)) return false
  const [window] = await client.query<{ newest: number; is_mature: boolean }>(
    `SELECT max(revision) AS newest, argMax(maturity, revision) = 1 AS is_mature FROM window_revisions
     WHERE model_id = 'elec2' AND model_version = '' AND variant = '' AND toUnixTimestamp64Milli(window_end) = {end:Int64}`,
    { end: windowEnd },
  )
  if (!window?.is_mature || answer.evidence_revision < window.newest) {
    settledBy.set(windowEnd, answer.evidence_revision)
    return false
  }
  return (await openRuns()).length === 0
}

interface Run {
  state: string
  new_version: string
}
async function runs(): Promise<Run[]> {
  return (await client.get<{ runs: Run[] }>('/v1/runs?model_id=elec2')).runs
}

async function openRuns(): Promise<Run[]> {
  return (await runs()).filter((run) =>
    ['pending', 'launched', 'running', 'awaiting_approval'].includes(run.state),
  )
}

async function adoptNewVersion() {
  const newest = (await runs())
    .filter((run) => run.state === 'succeeded')
    .map((run) => run.new_version)
    .toSorted((a, b) => Number(b) - Number(a))[0]
  if (newest && newest !== live.version)
    live = { version: newest, model: loadModel(registry, newest) }
}

async function until(what: string, condition: () => Promise<boolean>) {
  const deadline = Date.now() + PATIENCE_MS
  let pause = POLL_MS
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`waited ${PATIENCE_MS / 1000} s for: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, pause))
    pause = Math.min(LONGEST_POLL_MS, pause * 1.3)
  }
}

/** Each fold is predicted by a model of the others, so that the reference is honest. */
function crossValidated(some: readonly Elec2Row[]): number[] {
  const size = Math.ceil(some.length / FOLDS)
  return some.flatMap((_, fold) => {
    if (fold >= FOLDS) return []
    const others = some.filter((row) => Math.floor(row.index / size) !== fold)
    const model = train(
      ELEC2_FEATURES,
      others.map((row) => row.values),
      others.map((row) => row.label),
    )
    return some.slice(fold * size, (fold + 1) * size).map((row) => predict(model, row.values))
  })
}
