/**
 * Serves the Elec2 model and tells Plumbline what it predicted, replaying the stream in event time,
 * a week at once.
 *
 * Each label is true 24 stream-hours after its prediction and is sent with its week, so that it is
 * there before predictions of the next week say that no more labels come. The pace is Plumbline's
 * own: a week is begun when the week before it has been joined, and the one three weeks before it
 * has been evaluated and its retraining has ended. A new version so serves two weeks after the
 * window that called for it, and the result does not depend on how fast the machine is.
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
const LONGEST_POLL_MS = 200
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
/** Newest revision that was answered for and was not its last, by the end of its window. */
const settledBy = new Map<number, number>()
let predictionsSent = 0

const weeks = [...Map.groupBy(rows, (row) => Math.floor(row.at / WEEK_MS))]
for (const [number, [week, weekRows]] of weeks.entries()) {
  const start = week * WEEK_MS
  await emit(weekRows)
  await until('every label is joined', () => isJoined(weekRows))
  if (number > 1) await untilSettled(start - WEEK_MS)
  await acceptWhatIsNormal(start - WEEK_MS)
  await adoptNewVersion(start - WEEK_MS)
  if (number % 13 === 12)
    console.log(
      `  ${new Date(start + WEEK_MS).toISOString().slice(0, 10)}: ${predictionsSent} predictions, ${predictionsSent} labels, version ${live.version} serves`,
    )
}
if (weeks.length > 1) await untilSettled(weeks.at(-1)![0] * WEEK_MS)

function untilSettled(windowEnd: number) {
  return until(`the week that ends ${new Date(windowEnd).toISOString()} is evaluated`, () =>
    isSettled(windowEnd),
  )
}

/** The version that serves, and the first one in its shadow. */
function servedFor(row: Elec2Row) {
  const serving = { id: idOf(row, live.version, false), ...live, shadow: false }
  return live.version === '1'
    ? [serving]
    : [serving, { id: idOf(row, '1', true), version: '1', model: first, shadow: true }]
}
type Served = ReturnType<typeof servedFor>[number]

async function emit(weekRows: readonly Elec2Row[]) {
  const predictions = weekRows.flatMap((row) => servedFor(row).map((served) => event(row, served)))
  const labels = weekRows.flatMap((row) => servedFor(row).map(({ id }) => labelOf(row, id)))
  await client.sendPredictions(predictions)
  await client.sendLabels(labels)
  predictionsSent += predictions.length
}

function idOf(row: Elec2Row, version: string, shadow: boolean): string {
  return shadow ? `shadow-${version}-${row.index}` : `row-${row.index}`
}

function event(row: Elec2Row, { id, version, model, shadow }: Served) {
  const score =
    version === '1' && row.index < TRAINING_ROWS
      ? outOfFold[row.index]!
      : predict(model, row.values)
  return {
    prediction_id: id,
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

function labelOf(row: Elec2Row, predictionId: string) {
  return {
    label_id: `truth-${predictionId}`,
    model_id: 'elec2',
    prediction_id: predictionId,
    label: String(row.label),
    labelled_at: new Date(row.at + LABEL_DELAY_MS).toISOString(),
    source: 'ground_truth',
  }
}

/** Every prediction of these rows has its outcome. */
async function isJoined(weekRows: readonly Elec2Row[]): Promise<boolean> {
  const [joined] = await client.query<{ outcomes: string }>(
    `SELECT uniqExact(prediction_id) AS outcomes FROM outcome_revisions
     WHERE model_id = 'elec2' AND predicted_at BETWEEN fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND fromUnixTimestamp64Milli({to:Int64}, 'UTC')`,
    { from: weekRows[0]!.at, to: weekRows.at(-1)!.at },
  )
  return Number(joined?.outcomes) >= weekRows.length * servedFor(weekRows[0]!).length
}

/**
 * The window's mature revision exists, its policies have answered for it, and no run is open. Asked
 * in the order of what it costs: before there is an answer, ClickHouse need not be asked which
 * revision it must be of.
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
  window_end: string | null
}
async function runs(): Promise<Run[]> {
  return (await client.get<{ runs: Run[] }>('/v1/runs?model_id=elec2')).runs
}

async function openRuns(): Promise<Run[]> {
  return (await runs()).filter((run) =>
    ['queued', 'launching', 'running', 'awaiting_approval'].includes(run.state),
  )
}

/**
 * @param windowEnd versions that later windows called for are left for later, however soon they are
 * there
 */
async function adoptNewVersion(windowEnd: number) {
  const newest = (await runs())
    .filter((run) => run.state === 'succeeded' && Date.parse(run.window_end ?? '') <= windowEnd)
    .map((run) => run.new_version)
    .toSorted((a, b) => Number(b) - Number(a))[0]
  if (newest && newest !== live.version)
    live = { version: newest, model: loadModel(registry, newest) }
}

/**
 * Answers alarms of a week as its owner would: inputs of a retrained model that move with the
 * seasons, while it predicts no worse, are normal. The week then joins the baseline.
 */
async function acceptWhatIsNormal(windowEnd: number) {
  if (live.version === '1') return
  const alarms = await client.query<{ verdict_id: string; family: string }>(
    `SELECT verdict_id, family FROM verdicts_latest WHERE model_id = 'elec2' AND model_version = '' AND variant = '' AND slice_key = ''
       AND verdict = 'alarm' AND toUnixTimestamp64Milli(window_end) = {end:Int64} ORDER BY family, metric, subject`,
    { end: windowEnd },
  )
  if (alarms.length === 0 || alarms.some(({ family }) => family !== 'drift')) return
  // What is accepted counts for weeks that are not evaluated yet, however fast the machine is.
  await until('the next week is evaluated', () => isMature(windowEnd + WEEK_MS))
  await client.post(`/v1/verdicts/${encodeURIComponent(alarms[0]!.verdict_id)}/accept`, {
    actor: 'demo',
    comment: 'the season: the model predicts no worse',
  })
}

/** The window has been evaluated with all its labels. */
async function isMature(windowEnd: number): Promise<boolean> {
  const [window] = await client.query<{ is_mature: boolean }>(
    `SELECT argMax(maturity, revision) = 1 AS is_mature FROM window_revisions
     WHERE model_id = 'elec2' AND model_version = '' AND variant = '' AND toUnixTimestamp64Milli(window_end) = {end:Int64}`,
    { end: windowEnd },
  )
  return window?.is_mature ?? false
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
