import type { ClickHouse } from '../../lib/clickhouse/port.ts'
import { messageOf } from '../../lib/runtime/errors.ts'
import type { EventLog } from '../../lib/event-log/port.ts'
import { createWakeUps } from '../../lib/event-log/wake-ups.ts'
import type { Privacy } from '../../lib/events/privacy/redactor.ts'
import { allowedAddresses } from '../../lib/http/outgoing/outgoing-config.ts'
import type { Http } from '../../lib/http/server.ts'
import type { Logger } from '../../lib/runtime/log.ts'
import type { Metrics } from '../../lib/runtime/metrics.ts'
import type { PriceTable } from '../../lib/models/derived/price-table.ts'
import type { Models } from '../../lib/models/model-files.ts'
import type { Module } from '../../lib/runtime/modules.ts'
import { pollLoop, type PollLoop, type PollLoopOptions } from '../../lib/runtime/poll-loop.ts'
import type { Postgres } from '../../lib/postgres/port.ts'
import type { SinkParts } from '../../lib/sink/sink.ts'
import { sinkConsumer } from '../../lib/sink/consumer.ts'
import { changingConsumers } from '../../lib/sources/changing-consumers.ts'
import { consumingOf } from '../../lib/sources/consumer.ts'
import type { LiveReading } from '../../lib/runtime/reload/live-reading.ts'
import type { LiveSources } from '../../lib/sources/live-sources.ts'
import { TOPICS } from '../../schemas/topics.ts'
import { attributeMapping, attributeMappings } from './data/attribute-rows.ts'
import type { FeedbackConfig } from './config.ts'
import { addDrawnTasks } from './loop/draw.ts'
import { judgeModules } from './loop/judges/judge-modules.ts'
import { emitLabels } from './loop/emit-labels.ts'
import { createItemFailures, type ItemFailures } from './loop/item-failures.ts'
import { joinLoop } from './loop/join-loop.ts'
import { createJoin } from './loop/join.ts'
import { lateAttributes } from './loop/late-attributes.ts'
import { datasetRoutes } from './http/dataset-routes.ts'
import { judgeRoutes } from './http/judge-routes.ts'
import { labelRoutes } from './http/label-routes.ts'
import { feedbackRoutes } from './http/routes.ts'
import { readFeedbackKeys } from './http/feedback-keys.ts'
import { ratingRoutes } from './http/rating-routes.ts'
import { liveLabelChecks } from '../../lib/models/labels/label-values.ts'
import { labelMapping, labelMappings, type LabelRules } from './data/label-rows.ts'
import { promptFiles } from './queries/judges/prompt-files.ts'
import type { ReviewStore } from './queries/review-tasks.ts'
import { waitingMetrics } from './queries/waiting-labels.ts'

/**
 * The parts of the process that feedback is built on; `clickhouse` gives a connection of its own to
 * each role.
 */
export interface FeedbackDeps {
  http: Http
  eventLog: EventLog
  clickhouse: (role: string) => ClickHouse
  postgres: Postgres
  sinkParts: SinkParts
  models: Models
  sources: LiveSources
  prices: LiveReading<PriceTable>
  privacy: Privacy
  metrics: Metrics
  log: Logger
  now: () => number
  /**
   * The value of a variable that a judge names as `secret://env/NAME`; undefined where it is not set.
   */
  environment: (name: string) => string | undefined
}

const DRAW_POLL_MS = 5000
const EMIT_POLL_MS = 250
/**
 * The longest pause while no task is finished: a commit of this process wakes the loop, and this
 * poll finds what a killed process has left.
 */
const EMIT_LONGEST_IDLE_MS = 10_000
const METRICS_POLL_MS = 10_000
/** What one data set may have. */
const DATASET_BOUNDS = { rows: 1_000_000, bytes: 2_000_000_000 }

/**
 * Labels and attributes -> ClickHouse, joined with predictions; and reviewers' answers, which
 * become labels.
 */
export function feedback(deps: FeedbackDeps, config: FeedbackConfig): Module[] {
  const { eventLog, models, metrics, log, now } = deps
  const db = deps.clickhouse('feedback')
  const leaseSeconds = config.PLUMBLINE_REVIEW_LEASE_SECONDS
  const rulesOf = (modelId: string) => models.get(modelId).review
  const reviews = { db: deps.postgres, leaseSeconds, now, rulesOf }
  const checks = liveLabelChecks(models)
  const modelOf = (modelId: string) => models.get(modelId)
  const failures = createItemFailures(metrics.registry, log)
  feedbackRoutes(deps.http, {
    eventLog,
    refusalOf: checks.refusalOf,
    metrics,
    privacy: deps.privacy,
    reviews,
    db: deps.clickhouse('feedback-http'),
    now,
    modelOf,
    declared: () => models.declared,
  })
  ratingRoutes(deps.http, {
    eventLog,
    metrics,
    now,
    privacy: deps.privacy,
    refusalOf: checks.refusalOf,
    keys: readFeedbackKeys(config.PLUMBLINE_FEEDBACK_KEY_FILE),
    origins: config.PLUMBLINE_FEEDBACK_ORIGINS?.split(',') ?? [],
  })
  labelRoutes(deps.http, {
    db: deps.clickhouse('feedback-http'),
    postgres: deps.postgres,
    now,
    modelOf,
  })
  datasetRoutes(deps.http, {
    maker: {
      db: deps.clickhouse('feedback-datasets'),
      spool: deps.sinkParts.spool,
      bounds: DATASET_BOUNDS,
    },
    postgres: deps.postgres,
    now,
    modelOf,
  })
  const judgesMay = {
    readPrompt: promptFiles(),
    allowsCommands: config.PLUMBLINE_ALLOW_COMMANDS === 'on',
    prices: () => deps.prices.inForce().value,
  }
  judgeRoutes(deps.http, { postgres: deps.postgres, ...judgesMay, now, modelOf })
  const waiting = waitingMetrics(deps.clickhouse('feedback-waiting'), metrics.registry, now)
  return [
    loop(log, 'labels waiting', METRICS_POLL_MS, () => waiting.refresh()).module,
    ...reviewing(deps, db, { reviews, failures }),
    ...judgeModules({
      ...deps,
      ...judgesMay,
      failures,
      allowed: allowedAddresses(config),
    }),
    ...storing(deps, db, { privacy: deps.privacy, checks }),
  ]
}

/** Stores labels and attributes, and joins each with predictions. */
function storing(deps: FeedbackDeps, db: ClickHouse, rules: LabelRules): Module[] {
  const { clickhouse, eventLog, log, models, privacy, sinkParts } = deps
  const wakeUps = createWakeUps(eventLog, (error) =>
    log.warn({ error: messageOf(error) }, 'wake-up not sent'),
  )
  const join = createJoin(clickhouse('feedback-join'), models)
  const labelJoin = joinLoop('label join', join, { wakeUps, log })
  const late = lateAttributes(clickhouse('feedback-attributes'))
  const attributeJoin = joinLoop('attribute join', late, { wakeUps, log })
  const stored = { ...sinkParts, service: 'feedback', clickhouse: db, eventLog }
  return [
    sinkConsumer({
      ...stored,
      topic: TOPICS.labels.topic,
      group: 'plumbline-feedback',
      mappings: labelMappings(rules),
      committed: labelJoin.wake,
    }),
    sinkConsumer({
      ...stored,
      topic: TOPICS.attributes.topic,
      group: 'plumbline-feedback-attributes',
      mappings: attributeMappings(privacy),
      committed: attributeJoin.wake,
    }),
    changingConsumers('sources of feedback', deps.sources, (inForce) => [
      ...consumingOf(inForce, 'label', (source) => ({
        ...stored,
        source,
        type: 'label' as const,
        mappingOf: (version) => labelMapping(version, rules),
        committed: labelJoin.wake,
      })),
      ...consumingOf(inForce, 'attributes', (source) => ({
        ...stored,
        source,
        type: 'attributes' as const,
        mappingOf: (version) => attributeMapping(version, privacy),
        committed: attributeJoin.wake,
      })),
    ]),
    labelJoin.module,
    attributeJoin.module,
    { name: 'feedback wake-ups', stop: async () => wakeUps.stop() },
  ]
}

/** Draws predictions for review, where a model asks for it, and sends the answers as labels. */
function reviewing(
  deps: FeedbackDeps,
  db: ClickHouse,
  { reviews, failures }: { reviews: ReviewStore; failures: ItemFailures },
): Module[] {
  const { eventLog, log, models } = deps
  const emitter = { reviews, eventLog, failures, setAside: new Map<string, number>() }
  const draw = () =>
    addDrawnTasks(
      { db, reviews, failures },
      models.declared.filter((model) => model.review.budgetPerDay > 0),
    )
  const pause = { everyMs: EMIT_POLL_MS, longestIdleMs: EMIT_LONGEST_IDLE_MS }
  const emitted = loop(log, 'review labels', pause, () => emitLabels(emitter))
  deps.postgres.onCommit(emitted.wake)
  return [loop(log, 'review draw', DRAW_POLL_MS, draw).module, emitted.module]
}

/**
 * A poll loop whose failed steps are logged and tried again; a number is its pause in milliseconds.
 */
function loop(
  log: Logger,
  name: string,
  pause: number | Pick<PollLoopOptions, 'everyMs' | 'longestIdleMs'>,
  step: PollLoopOptions['step'],
): PollLoop {
  return pollLoop({
    name,
    ...(typeof pause === 'number' ? { everyMs: pause } : pause),
    step,
    onError: (error) =>
      log.warn({ loop: name, error: messageOf(error) }, 'step failed, trying again'),
  })
}
