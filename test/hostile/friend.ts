/**
 * A friend among enemies: sends good events, and asks whether each was stored once and evaluated.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ask, post, prediction, until } from '../servers/processes.ts'

/**
 * The friend's model file: windows of an hour of event time that end by themselves, tasks for
 * reviewers, a policy to ask.
 */
const FRIEND_MODEL = `model_id: friend
task: binary
windows: { size: 1h, lateness: 0s, idle: 2s, min_count: 1 }
review: { reviewers: 2, budget_per_day: 2400 }
retrain:
  - name: asked
    when: schedule("0 0 1 1 *")
    launch: { kind: webhook, url: "http://127.0.0.1:9/" }
    approval: two
`

/** The environment of a service of one's own, in a folder that gets the friend's model file. */
export function friendlyTo(directory: string): Record<string, string> {
  const models = join(directory, 'models')
  mkdirSync(models, { recursive: true })
  writeFileSync(join(models, 'friend.yaml'), FRIEND_MODEL)
  return {
    PLUMBLINE_DATA_DIR: join(directory, 'data'),
    PLUMBLINE_MODELS_DIR: models,
    PLUMBLINE_DRIFT_SCAN_SECONDS: '1',
    PLUMBLINE_PAIRING_SECONDS: '1',
    PLUMBLINE_LOG_LEVEL: 'error',
  }
}

const RETRY_MS = 200
const START = Date.UTC(2026, 0, 1)
const APART_MS = 60_000

export interface Friend {
  /** Sends one event until it is accepted, as an emitter does. */
  send: () => Promise<void>
  sent: () => number
  /** How often an event was told to come again, or got no answer. */
  again: () => number
  slowestMs: () => number
  /** Rows of its events, and how many of them differ. */
  stored: () => Promise<{ rows: number; events: number }>
  /** Resolves when every event sent is stored. */
  allStored: () => Promise<void>
  /** Resolves when every event stored stands in a window that was evaluated. */
  allEvaluated: () => Promise<void>
}

/** @param name tells its events from those of other runs against the same service */
export function friendOf(
  service: () => { url: string; clickhouseUrl: string },
  name: string,
): Friend {
  let sent = 0
  let again = 0
  let slowest = 0
  const stored = async () => {
    const [row] = await ask<{ rows: string; events: string }>(
      service().clickhouseUrl,
      `SELECT count() AS rows, uniqExact(prediction_id) AS events FROM predictions
       WHERE model_id = 'friend' AND startsWith(prediction_id, '${name}-')`,
    )
    return { rows: Number(row!.rows), events: Number(row!.events) }
  }
  return {
    send: async () => {
      const i = sent++
      const event = prediction(i, {
        model_id: 'friend',
        prediction_id: `${name}-${i}`,
        predicted_at: new Date(START + i * APART_MS).toISOString(),
      })
      const begun = performance.now()
      await until(`the event ${i} is accepted`, async () => {
        const isAccepted = await post(`${service().url}/v1/predictions`, event).then(
          (answer) => answer.status === 200,
          () => false,
        )
        if (!isAccepted) {
          again++
          await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
        }
        return isAccepted
      })
      slowest = Math.max(slowest, performance.now() - begun)
    },
    sent: () => sent,
    again: () => again,
    slowestMs: () => slowest,
    stored,
    allStored: () =>
      until(`${sent} good events are stored`, async () => (await stored()).events === sent),
    allEvaluated: () =>
      until(`${sent} good events are evaluated`, async () => {
        const [row] = await ask<{ events: string }>(
          service().clickhouseUrl,
          `SELECT sum(n) AS events FROM (
             SELECT window_start, argMax(events, revision) AS n FROM window_revisions
             WHERE model_id = 'friend' AND model_version = '' AND variant = '' AND slice_key = ''
             GROUP BY window_start)`,
        )
        return Number(row!.events) >= sent
      }),
  }
}
