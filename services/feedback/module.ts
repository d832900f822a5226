import type { ClickHouse } from '../../lib/clickhouse.ts'
import { sleep } from '../../lib/clock.ts'
import { messageOf } from '../../lib/errors.ts'
import type { EventLog } from '../../lib/event-log.ts'
import { createHints } from '../../lib/hints.ts'
import type { Http } from '../../lib/http.ts'
import type { Logger } from '../../lib/log.ts'
import type { Metrics } from '../../lib/metrics.ts'
import type { Models } from '../../lib/models.ts'
import type { Module } from '../../lib/modules.ts'
import type { Postgres } from '../../lib/postgres.ts'
import type { SinkParts } from '../../lib/sink.ts'
import { sinkConsumer } from '../../lib/sink-consumer.ts'
import { TOPICS } from '../../schemas/topics.ts'
import type { FeedbackConfig } from './config.ts'
import { drawTasks } from './draw.ts'
import { createJoin } from './join.ts'
import { reviewQueue } from './review-queue.ts'
import { feedbackRoutes } from './routes.ts'
import { LABEL_MAPPINGS } from './rows.ts'

export interface FeedbackDeps {
  http: Http
  eventLog: EventLog
  clickhouse: (role: string) => ClickHouse
  postgres: Postgres
  sinkParts: SinkParts
  models: Models
  metrics: Metrics
  log: Logger
  now: () => number
}

const JOIN_POLL_MS = 500
const DRAW_POLL_MS = 5000
const EMIT_POLL_MS = 250

/** How old a waiting label is tried: fresh ones every round, those of the last hour every 60th, all others every 1200th. */
function maxAgeOf(round: number): number {
  if (round % 1200 === 0) return Infinity
  return round % 60 === 0 ? 3_600_000 : 30_000
}

/** Labels -> ClickHouse, joined with predictions into outcomes; and people's answers, which become labels. */
export function feedback(deps: FeedbackDeps, config: FeedbackConfig): Module[] {
  const { eventLog, models, metrics, log, now } = deps
  const topic = TOPICS.labels.topic
  const db = deps.clickhouse('feedback')
  const join = createJoin(db, models, now)
  const queue = reviewQueue(deps.postgres, config.PLUMBLINE_REVIEW_LEASE_SECONDS, now)
  const hints = createHints(eventLog, (error) =>
    log.warn({ error: messageOf(error) }, 'hint not sent'),
  )
  feedbackRoutes(deps.http, {
    eventLog,
    metrics,
    queue,
    db: deps.clickhouse('feedback-http'),
    classesOf: (modelId) => models.get(modelId).classes,
  })

  let wakeJoin = () => {}
  const joining: Module = {
    name: 'label join',
    run: async (signal) => {
      for (let round = 0; !signal.aborted; round++) {
        const woken = new AbortController()
        wakeJoin = () => woken.abort()
        let pause = JOIN_POLL_MS
        try {
          const { models: changed, more } = await join.resolve(maxAgeOf(round))
          hints.send(changed)
          if (more) pause = 0
        } catch (error) {
          log.warn({ error: messageOf(error) }, 'labels not joined, trying again')
        }
        await sleep(pause, AbortSignal.any([signal, woken.signal]))
      }
    },
  }
  const consumer = sinkConsumer({
    ...deps.sinkParts,
    service: 'feedback',
    topic,
    group: 'plumbline-feedback',
    mappings: LABEL_MAPPINGS,
    clickhouse: db,
    eventLog,
    committed: () => wakeJoin(),
  })

  const reviewed = models.declared.filter((model) => model.review.budgetPerDay > 0)
  return [
    consumer,
    joining,
    ...(reviewed.length > 0
      ? [
          loop('review draw', DRAW_POLL_MS, async () => {
            for (const model of reviewed) await queue.add(await drawTasks(db, model))
          }),
        ]
      : []),
    loop('review labels', EMIT_POLL_MS, async () => {
      for (const task of await queue.finished()) {
        await eventLog.append(topic, [
          { key: `${task.modelId}/${task.predictionId}`, value: JSON.stringify(labelOf(task)) },
        ])
        await queue.markEmitted(task.taskId)
      }
    }),
    { name: 'feedback hints', stop: async () => hints.stop() },
  ]

  /** Repeats a step for as long as the process lives; a failed one is logged and tried again. */
  function loop(name: string, pauseMs: number, step: () => Promise<void>): Module {
    return {
      name,
      run: async (signal) => {
        while (!signal.aborted) {
          await step().catch((error: unknown) =>
            log.warn({ loop: name, error: messageOf(error) }, 'step failed, trying again'),
          )
          await sleep(pauseMs, signal)
        }
      },
    }
  }
}

/** One label per task: its id is the task's, so that emitting it twice counts once. */
function labelOf(task: Awaited<ReturnType<ReturnType<typeof reviewQueue>['finished']>>[number]) {
  return {
    label_id: `review:${task.taskId}`,
    model_id: task.modelId,
    prediction_id: task.predictionId,
    label: task.label,
    labelled_at: task.answeredAt.toISOString(),
    source: 'human_review',
    confidence: task.agreement,
    inclusion_probability: task.inclusionProbability,
  }
}
