/** What happened in a demo, computed from Plumbline's own tables. */
import type { PlumblineClient } from './plumbline-client.ts'

interface WeekRow {
  week: string
  frozen: number | null
  closed: number | null
}
interface AlarmRow {
  family: string
  metric: string
  subject: string
  windows: string
  first: string
}
interface RunRow {
  policy: string
  state: string
  window_end: string
  new_version: string
  reason: string
  message: string
}

export interface Summary {
  text: string
  /** Drift was found, a run succeeded, and the new versions were more accurate than the frozen one. */
  loopClosed: boolean
}

const BARS = '▁▂▃▄▅▆▇█'

export async function summarize(client: PlumblineClient): Promise<Summary> {
  const weeks = await client.query<WeekRow>(
    `SELECT toDate(window_end) AS week, maxIf(value, model_version = '1') AS own, maxIf(value, model_version = '') AS closed,
       if(countIf(model_version = '1') > 0, own, closed) AS frozen
     FROM window_metrics_latest WHERE model_id = 'elec2' AND metric = 'accuracy' AND method = 'observed' AND family = 'performance' AND isNotNull(value) AND n_labelled >= 200
     GROUP BY window_end ORDER BY window_end`,
  )
  const alarms = await client.query<AlarmRow>(
    `SELECT family, metric, subject, count() AS windows, toDate(min(window_end)) AS first FROM window_metrics_latest
     WHERE model_id = 'elec2' AND model_version = '' AND verdict = 'alarm' GROUP BY family, metric, subject ORDER BY min(window_end), family, metric, subject`,
  )
  const runs = await client.query<RunRow>(
    `SELECT policy, state, toDate(window_end) AS window_end, new_version, reason, message FROM retrain_runs WHERE model_id = 'elec2' ORDER BY retrain_runs.window_end`,
  )
  const [incomplete] = await client.query<{ n: string }>(
    `SELECT uniqExact(window_end) AS n FROM window_metrics_latest WHERE model_id = 'elec2' AND model_version = '' AND verdict = 'incomplete'`,
  )
  const known = weeks.flatMap(({ week, frozen, closed }) =>
    frozen === null || closed === null ? [] : [{ week, frozen, closed }],
  )
  const firstRun = runs.find((run) => run.state === 'succeeded')?.window_end
  const after = known.filter((week) => firstRun !== undefined && week.week > firstRun)
  const frozen = meanOf(after.map((week) => week.frozen))
  const closed = meanOf(after.map((week) => week.closed))
  const loopClosed = alarms.length > 0 && firstRun !== undefined && closed > frozen
  const months = [...Map.groupBy(known, (week) => week.week.slice(0, 7))]

  const text = [
    `Weekly accuracy over ${known.length} evaluated weeks, ${known[0]?.week} to ${known.at(-1)?.week} (${percent(Math.min(...known.map((w) => w.frozen)))} to ${percent(Math.max(...known.map((w) => w.closed)))} is ▁ to █)`,
    `  frozen model  ${spark(
      known.map((week) => week.frozen),
      known,
    )}`,
    `  closed loop   ${spark(
      known.map((week) => week.closed),
      known,
    )}`,
    '',
    '  month     frozen  closed     month     frozen  closed     month     frozen  closed',
    ...columns(
      months.map(
        ([month, inMonth]) =>
          `  ${month}   ${percent(meanOf(inMonth.map((w) => w.frozen)))}   ${percent(meanOf(inMonth.map((w) => w.closed)))} `,
      ),
      3,
    ),
    '',
    firstRun === undefined
      ? '  no retraining succeeded'
      : `  after the first retraining (${after.length} weeks): frozen ${percent(frozen)}, closed loop ${percent(closed)}`,
    '',
    `Alarms against the training reference, in windows (${incomplete?.n ?? 0} windows had something incomplete)`,
    ...alarms.map(
      (a) =>
        `  ${`${a.family}.${a.metric}${a.subject ? ` of ${a.subject}` : ''}`.padEnd(34)} ${a.windows.padStart(4)}   first in the week to ${a.first}`,
    ),
    '',
    'Retraining runs',
    ...runs.map(
      (run) =>
        `  week to ${run.window_end}  ${run.policy}  ${run.state}  -> version ${run.new_version || '-'}  (${run.reason}; ${run.message})`,
    ),
  ].join('\n')
  return { text, loopClosed }
}

const meanOf = (values: readonly number[]) =>
  values.reduce((sum, value) => sum + value, 0) / values.length
const percent = (share: number) => `${(100 * share).toFixed(1)} %`.padStart(6)

function spark(
  values: readonly number[],
  weeks: readonly { frozen: number; closed: number }[],
): string {
  const low = Math.min(...weeks.map((week) => week.frozen))
  const high = Math.max(...weeks.map((week) => week.closed))
  return values
    .map((value) => BARS[Math.max(0, Math.min(7, Math.floor(((value - low) / (high - low)) * 8)))])
    .join('')
}

/** Cells in columns, top to bottom, then left to right. */
function columns(cells: readonly string[], count: number): string[] {
  const height = Math.ceil(cells.length / count)
  return Array.from({ length: height }, (_, row) =>
    Array.from({ length: count }, (__, column) => cells[column * height + row] ?? '').join('   '),
  )
}
