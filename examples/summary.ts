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
  reference: string
  windows: string
  first: string
  last: string
}
/**
 * When the alarms that led to the first retraining began and ended, and what came of the version it
 * made; dates are ends of weeks.
 */
interface Story {
  began: string
  ended: string
  /** Weeks that the new version's baseline was learned from; 0 where none was. */
  learning: string
  learned_from: string
  learned_to: string
  /** Evaluated weeks after the last of those alarms. */
  since: string
  alarmed_since: string
  accepted: string
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
  /**
   * Drift was found, a run succeeded, the new version was more accurate than the frozen one, and
   * the alarms ended.
   */
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
    `SELECT family, metric, subject, reference, count() AS windows, toDate(min(window_end)) AS first, toDate(max(window_end)) AS last FROM window_metrics_latest
     WHERE model_id = 'elec2' AND model_version = '' AND verdict = 'alarm' GROUP BY family, metric, subject, reference ORDER BY min(window_end), family, metric, subject`,
  )
  const runs = await client.query<RunRow>(
    `SELECT policy, state, toDate(window_end) AS window_end, new_version, reason, message FROM retrain_runs WHERE model_id = 'elec2' ORDER BY retrain_runs.window_end`,
  )
  const [incomplete] = await client.query<{ n: string }>(
    `SELECT uniqExact(window_end) AS n FROM window_metrics_latest WHERE model_id = 'elec2' AND model_version = '' AND verdict = 'incomplete'`,
  )
  const [story] = await client.query<Story>(STORY)
  const known = weeks.flatMap(({ week, frozen, closed }) =>
    frozen === null || closed === null ? [] : [{ week, frozen, closed }],
  )
  const firstRun = runs.find((run) => run.state === 'succeeded')?.window_end
  const after = known.filter((week) => firstRun !== undefined && week.week > firstRun)
  const frozen = meanOf(after.map((week) => week.frozen))
  const closed = meanOf(after.map((week) => week.closed))
  const hasEnded = story !== undefined && Number(story.learning) > 0 && Number(story.since) >= 2
  const loopClosed = alarms.length > 0 && firstRun !== undefined && closed > frozen && hasEnded
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
    'What happened',
    ...storyLines(
      story,
      runs.find((run) => run.state === 'succeeded'),
    ),
    '',
    `Alarms, in windows (${incomplete?.n ?? 0} windows had something incomplete)`,
    ...alarms.map(
      (a) =>
        `  ${`${a.family}.${a.metric}${a.subject ? ` of ${a.subject}` : ''}`.padEnd(36)} beside ${a.reference.padEnd(16)} ${a.windows.padStart(4)}   weeks to ${a.first} … ${a.last}`,
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

/**
 * Weeks in the newest revision of the model as a whole, and the episode of alarms that the first
 * successful run answers.
 */
const STORY = `
WITH weeks AS (
  SELECT window_end, argMax(worst, revision) AS worst, argMax(episode_id, revision) AS episode FROM window_revisions
  WHERE model_id = 'elec2' AND model_version = '' AND variant = '' AND slice_key = '' GROUP BY window_end
), (
  SELECT min(window_end) FROM retrain_runs WHERE model_id = 'elec2' AND state = 'succeeded'
) AS called, (
  SELECT any(episode) FROM weeks WHERE window_end = called
) AS answered, (
  SELECT max(window_end) FROM weeks WHERE episode = answered AND worst = 'alarm'
) AS last_alarm, (
  SELECT groupUniqArray(window_end) FROM window_metrics_latest
  WHERE model_id = 'elec2' AND model_version = '' AND reason LIKE '%learning, window %' AND window_end > called
) AS learning_weeks
SELECT toDate(minIf(window_end, episode = answered AND worst = 'alarm')) AS began, toDate(last_alarm) AS ended,
  length(learning_weeks) AS learning, toDate(arrayMin(learning_weeks)) AS learned_from, toDate(arrayMax(learning_weeks)) AS learned_to,
  countIf(window_end > last_alarm AND worst != 'incomplete') AS since, countIf(window_end > last_alarm AND worst = 'alarm') AS alarmed_since,
  (SELECT uniqExact(window_end) FROM verdict_decisions WHERE model_id = 'elec2' AND decision = 'accept') AS accepted
FROM weeks WHERE answered != ''
HAVING count() > 0`

function storyLines(story: Story | undefined, run: RunRow | undefined): string[] {
  if (!story || !run) return ['  no retraining answered an alarm']
  const line = (what: string, when: string) => `  ${what.padEnd(20)} ${when}`
  const isLearned = Number(story.learning) > 0
  return [
    line('alarms began', `week to ${story.began}`),
    line('retraining', `called for by the week to ${run.window_end}: ${run.reason}`),
    ...(isLearned
      ? [
          line(
            `version ${run.new_version} promoted`,
            `its first week is the one to ${story.learned_from}`,
          ),
          line(
            'learning',
            `${story.learning} weeks, to ${story.learned_to}: its own baseline; performance is compared with the 8 weeks before it`,
          ),
        ]
      : []),
    line('alarms ended', `the last week of them is the one to ${story.ended}`),
    line(
      'since then',
      `${story.alarmed_since} of ${story.since} weeks have an alarm; ${story.accepted} were accepted as normal and joined the baseline`,
    ),
  ]
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
