import { Counter } from 'prom-client'
import type { ClickHouse } from '../../lib/clickhouse/port.ts'
import { sleep } from '../../lib/runtime/clock.ts'
import { messageOf } from '../../lib/runtime/errors.ts'
import type { EventLog } from '../../lib/event-log/port.ts'
import { createHints } from '../../lib/event-log/wake-ups.ts'
import type { Http } from '../../lib/http/server.ts'
import type { Logger } from '../../lib/runtime/log.ts'
import type { Metrics } from '../../lib/runtime/metrics.ts'
import type { Models } from '../../lib/models/model-files.ts'
import type { Module } from '../../lib/runtime/modules.ts'
import type { Postgres } from '../../lib/postgres/port.ts'
import type { SinkParts } from '../../lib/sink/sink.ts'
import { sinkConsumer } from '../../lib/sink/consumer.ts'
import { TOPICS } from '../../schemas/topics.ts'
import { ATTRIBUTE_MAPPINGS } from './data/attribute-rows.ts'
import type { FeedbackConfig } from './config.ts'
import { drawTasks } from './loop/draw.ts'
import { createJoin } from './loop/join.ts'
import { lateAttributes } from './loop/late-attributes.ts'
import { reviewQueue } from './queries/review-queue.ts'
import { feedbackRoutes } from './http/routes.ts'
import { LABEL_MAPPINGS } from './data/label-rows.ts'
import { waitingMetrics } from './queries/waiting-labels.ts'

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
/** Attributes wait only from an insert on, which wakes their join: it looks unasked for what a killed process has left. */
const LONGEST_IDLE_MS = 10_000
const DRAW_POLL_MS = 5000
const EMIT_POLL_MS = 250
const SET_ASIDE_MS = 60_000
/** So many labels that cannot be sent mean that the log takes none: the rest is left alone until then. */
const MAX_SET_ASIDE = 100
const METRICS_POLL_MS = 10_000
/** A loop that has little to do rests for this many times as long as its step took: what arrives meanwhile is done together. */
const REST = 3
const LONGEST_REST_MS = 10_000

/** Labels and attributes -> ClickHouse, joined with predictions; and people's answers, which become labels. */
export function feedback(deps: FeedbackDeps, config: FeedbackConfig): Module[] {
  const { eventLog, models, metrics, log, now } = deps
  const topic = TOPICS.labels.topic
  const db = deps.clickhouse('feedback')
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

  const join = createJoin(deps.clickhouse('feedback-join'), models)
  const labelJoin = joining('label join', () => join.resolve())
  const waiting = waitingMetrics(deps.clickhouse('feedback-waiting'), metrics.registry, now)
  const late = lateAttributes(deps.clickhouse('feedback-attributes'))
  const attributeJoin = joining('attribute join', () => late.resolve(), LONGEST_IDLE_MS)
  const stored = {
    ...deps.sinkParts,
    service: 'feedback',
    clickhouse: db,
    eventLog,
  }

  /** Finished tasks whose label could not be sent, and until when they are passed by. */
  const setAside = new Map<string, number>()
  const failed = new Counter({
    name: 'plumbline_feedback_failed_total',
    help: 'Items of a feedback loop that failed and were passed by: models drawn from, labels of finished reviews.',
    labelNames: ['loop'],
    registers: [metrics.registry],
  })
  const reviewed = models.declared.filter((model) => model.review.budgetPerDay > 0)
  return [
    sinkConsumer({
      ...stored,
      topic,
      group: 'plumbline-feedback',
      mappings: LABEL_MAPPINGS,
      committed: labelJoin.wake,
    }),
    sinkConsumer({
      ...stored,
      topic: TOPICS.attributes.topic,
      group: 'plumbline-feedback-attributes',
      mappings: ATTRIBUTE_MAPPINGS,
      committed: attributeJoin.wake,
    }),
    labelJoin.module,
    attributeJoin.module,
    loop('labels waiting', METRICS_POLL_MS, () => waiting.refresh()),
    ...(reviewed.length > 0
      ? [
          loop('review draw', DRAW_POLL_MS, async () => {
            for (const model of reviewed)
              await apart('review draw', model.modelId, async () => {
                await queue.add(await drawTasks(db, model))
              })
          }),
        ]
      : []),
    loop('review labels', EMIT_POLL_MS, () => emitLabels()),
    { name: 'feedback hints', stop: async () => hints.stop() },
  ]

  /**
   * Joins what has come, soon when woken; a failed round is logged and tried again.
   *
   * @param longestMs while nothing comes, the pause doubles up to this
   */
  function joining(
    name: string,
    resolve: () => Promise<{ models: string[]; more: boolean }>,
    longestMs = JOIN_POLL_MS,
  ): { module: Module; wake: () => void } {
    let wake = () => {}
    const run = async (signal: AbortSignal) => {
      let idleMs = JOIN_POLL_MS
      while (!signal.aborted) {
        const woken = new AbortController()
        wake = () => woken.abort()
        const begun = performance.now()
        let isBehind = false
        try {
          const { models: changed, more } = await resolve()
          hints.send(changed)
          isBehind = more
          idleMs = changed.length > 0 ? JOIN_POLL_MS : Math.min(idleMs * 2, longestMs)
        } catch (error) {
          idleMs = JOIN_POLL_MS
          log.warn({ join: name, error: messageOf(error) }, 'not joined, trying again')
        }
        const took = performance.now() - begun
        if (isBehind) continue
        await sleep(Math.min(took * REST, LONGEST_REST_MS), signal)
        const pause = Math.max(0, idleMs - took * REST)
        await sleep(pause, AbortSignal.any([signal, woken.signal]))
        if (woken.signal.aborted) idleMs = JOIN_POLL_MS
      }
    }
    return { module: { name, run }, wake: () => wake() }
  }

  /** Sends the labels of finished tasks; one that cannot be sent is set aside for a while, and the others go on. */
  async function emitLabels() {
    for (const [taskId, until] of setAside) if (until <= now()) setAside.delete(taskId)
    for (const task of await queue.finished([...setAside.keys()])) {
      const isSent = await apart('review labels', task.taskId, async () => {
        await eventLog.append(topic, [
          { key: `${task.modelId}/${task.predictionId}`, value: JSON.stringify(labelOf(task)) },
        ])
        await queue.markEmitted(task.taskId)
      })
      if (!isSent) setAside.set(task.taskId, now() + SET_ASIDE_MS)
      if (setAside.size >= MAX_SET_ASIDE) return
    }
  }

  /** One item's failure is its own: counted and logged by name. @returns whether it went well */
  async function apart(name: string, item: string, step: () => Promise<void>): Promise<boolean> {
    try {
      await step()
      return true
    } catch (error) {
      failed.inc({ loop: name })
      log.warn({ loop: name, item, error: messageOf(error) }, 'an item failed, the others go on')
      return false
    }
  }

  /** Repeats a step for as long as the process lives; a failed one is logged and tried again. */
  function loop(name: string, pauseMs: number, step: () => Promise<void>): Module {
    return {
      name,
      run: async (signal) => {
        while (!signal.aborted) {
          const begun = performance.now()
          await step().catch((error: unknown) =>
            log.warn({ loop: name, error: messageOf(error) }, 'step failed, trying again'),
          )
          await sleep(Math.max(pauseMs, (performance.now() - begun) * REST), signal)
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
