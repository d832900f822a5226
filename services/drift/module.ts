import { verdictFeedbackQueries } from './queries/verdict-feedback.ts'
import { Histogram } from 'prom-client'
import type { ClickHouse } from '../../lib/clickhouse/port.ts'
import { sleep } from '../../lib/runtime/clock.ts'
import { messageOf } from '../../lib/runtime/errors.ts'
import type { EventLog } from '../../lib/event-log/port.ts'
import type { Http } from '../../lib/http/server.ts'
import type { Logger } from '../../lib/runtime/log.ts'
import type { Metrics } from '../../lib/runtime/metrics.ts'
import type { Models } from '../../lib/models/model-files.ts'
import type { Module } from '../../lib/runtime/modules.ts'
import { pollLoop } from '../../lib/runtime/poll-loop.ts'
import type { Privacy } from '../../lib/events/privacy/redactor.ts'
import type { SinkParts } from '../../lib/sink/sink.ts'
import { largest } from '../../lib/stats/samples/extremes.ts'
import { DEFAULT_ACTIVE } from '../../schemas/model-metrics.ts'
import { TOPICS } from '../../schemas/topics.ts'
import type { DriftConfig } from './config.ts'
import { createAgenda } from './plan/agenda.ts'
import { canaryRoutes } from './canary/canary-routes.ts'
import { decisionRoutes } from './http/verdict-feedback-routes.ts'
import { batchEvaluator } from './loop/evaluate-batches.ts'
import { failureTeller, type TellFailure } from './loop/failures.ts'
import { allGauges, createGauges, type Gauges } from './publish/prometheus-gauges.ts'
import { createModelEvaluator, createShared } from './loop/evaluate-model.ts'
import { createMonitored } from './loop/monitored-models.ts'
import { driftQueries } from './queries/drift-queries.ts'
import { referenceRoutes } from './http/references/reference-routes.ts'
import { episodeFeedbackRoutes } from './http/episode-feedback-routes.ts'
import { episodeRoutes } from './http/episode-routes.ts'
import { exampleRoutes } from './http/example-routes.ts'
import { cardRoutes } from './http/card-routes.ts'
import { cohortRoutes } from './http/cohort-routes.ts'
import { compareRoutes } from './http/compare-routes.ts'
import { modelRoutes } from './http/model-routes.ts'
import { liveWindows } from './http/live-windows.ts'
import { reportRoutes } from './http/report-routes.ts'
import { overviewRoutes } from './http/overview-routes.ts'
import { distributionRoutes } from './http/distribution-routes.ts'
import { settingsRoutes } from './http/settings-routes.ts'
import { sideBySideRoutes } from './http/side-by-side-routes.ts'
import { windowRoutes } from './http/window-routes.ts'
import { registerModelGauges } from './publish/model-gauges.ts'
import { activeCounts, activeSeries } from './queries/active-alarms.ts'
import { modelAges } from './queries/model-summaries.ts'
import { showModelInfo } from './publish/model-info.ts'
import { trustyaiGauges } from './publish/trustyai-gauges.ts'

/**
 * The parts of the process that drift is built on; `clickhouse` gives a connection of its own to
 * each role.
 */
export interface DriftDeps {
  http: Http
  eventLog: EventLog
  clickhouse: (role: string) => ClickHouse
  models: Models
  privacy: Privacy
  metrics: Metrics
  log: Logger
  sinkParts: Pick<SinkParts, 'spool'>
  now: () => number
}

const RETRY_MS = 2000
const MAX_PAUSE_MS = 60_000
/** Batches of models evaluated at the same time. */
const EVALUATORS = 3

/**
 * One evaluator for each connection: a connection runs its queries one after another, and most of
 * evaluating is waiting for them.
 */
function createEvaluators(
  deps: DriftDeps,
  eventLog: Pick<EventLog, 'append'>,
  gauges: Gauges,
  tell: TellFailure,
) {
  const { privacy, now } = deps
  const shared = createShared()
  return Array.from({ length: EVALUATORS }, (_, i) => {
    const db = deps.clickhouse(`drift-${i}`)
    const queries = driftQueries(db)
    const decisions = verdictFeedbackQueries(db)
    return {
      progress: queries.progress,
      evaluate: createModelEvaluator({
        db,
        queries,
        decisions,
        eventLog,
        gauges,
        privacy,
        now,
        shared,
        tell,
      }),
    }
  })
}

/** Registers every route of this service; all of them read through one connection. */
function registerRoutes({ http, clickhouse, models, privacy, now, sinkParts }: DriftDeps): void {
  const db = clickhouse('drift-http')
  const parts = { db, queries: driftQueries(db), models, now }
  modelRoutes(http, parts)
  settingsRoutes(http, parts)
  windowRoutes(http, parts)
  overviewRoutes(http, parts)
  reportRoutes(http, parts)
  distributionRoutes(http, parts)
  exampleRoutes(http, parts)
  compareRoutes(http, parts)
  sideBySideRoutes(http, parts)
  cohortRoutes(http, parts)
  cardRoutes(http, parts)
  canaryRoutes(http, parts)
  referenceRoutes(http, { ...parts, privacy, spool: sinkParts.spool })
  decisionRoutes(http, db, now)
  episodeRoutes(http, parts)
  episodeFeedbackRoutes(http, db, now)
}

/** The most active alarms of one model that are series by name. */
const mostActive = ({ declared }: Models) =>
  largest([DEFAULT_ACTIVE, ...declared.map(({ metrics }) => metrics.active)])

const evaluationSeconds = ({ registry }: Metrics) =>
  new Histogram({
    name: 'plumbline_window_evaluation_seconds',
    help: 'Time to evaluate all that was due of a batch of models.',
    buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers: [registry],
  })

/** Registers what Prometheus is told of the models that this process owns. */
function gaugeModels(
  { clickhouse, models, metrics, log, now }: DriftDeps,
  owns: (modelId: string) => boolean,
): void {
  const gaugeDb = clickhouse('drift-gauges')
  registerModelGauges(metrics, {
    active: () => activeSeries(gaugeDb, mostActive(models)),
    counts: () => activeCounts(gaugeDb),
    ages: () => modelAges(gaugeDb),
    owns,
    mostOf: (modelId) => models.get(modelId).metrics.active,
    now,
    onError: (error) =>
      log.warn({ error: messageOf(error) }, 'active alarms not read for Prometheus'),
  })
}

/** A log that wakes once it was told: the last step of a window, so that who looks then sees it. */
const wakingLog = (eventLog: EventLog, wake: () => void): Pick<EventLog, 'append'> => ({
  append: async (topic, messages) => {
    await eventLog.append(topic, messages)
    wake()
  },
})

/**
 * Evaluates due windows of the models whose wake-ups come to this process: on each wake-up, and of
 * all models every `PLUMBLINE_DRIFT_SCAN_SECONDS`.
 */
export function drift(deps: DriftDeps, config: DriftConfig): Module[] {
  const { models, log, metrics, now, eventLog } = deps
  const gauges = allGauges([
    createGauges(metrics, {
      choiceOf: (modelId) => models.get(modelId).metrics,
      mostSeries: config.PLUMBLINE_METRICS_SERIES_MAX,
    }),
    ...(config.PLUMBLINE_TRUSTYAI_GAUGES === 'on' ? [trustyaiGauges(metrics)] : []),
  ])
  showModelInfo(models, metrics)
  const tell = failureTeller(deps.clickhouse('drift-failures'), metrics, { log, now })
  const live = liveWindows({
    http: deps.http,
    db: deps.clickhouse('drift-live'),
    now,
    onError: (error) =>
      log.warn({ error: messageOf(error) }, 'live windows not read, trying again'),
  })
  const evaluators = createEvaluators(deps, wakingLog(eventLog, live.wake), gauges, tell)
  const monitored = createMonitored(
    driftQueries(deps.clickhouse('drift')),
    models,
    metrics,
    config.PLUMBLINE_DRIFT_MODELS_MAX,
  )
  registerRoutes(deps)
  const seconds = evaluationSeconds(metrics)
  const agenda = createAgenda()
  let woken = new AbortController()
  const wake = () => {
    woken.abort()
    woken = new AbortController()
  }
  const scanning = pollLoop({
    name: 'drift scan',
    everyMs: config.PLUMBLINE_DRIFT_SCAN_SECONDS * 1000,
    retryMs: RETRY_MS,
    rest: 0,
    step: async () => {
      for (const modelId of await monitored.list()) agenda.want(modelId, now())
      wake()
    },
    onError: (error) => log.error({ error: messageOf(error) }, 'models not listed, trying again'),
  })
  models.onChange?.(scanning.wake)
  const wakeUps = eventLog.wakeUps({
    topic: TOPICS.windows.topic,
    group: 'plumbline-drift',
    onMessage: async ({ key }) => {
      if (!monitored.admits(key)) return
      agenda.want(key, now())
      wake()
    },
    assigned: scanning.wake,
  })

  gaugeModels(deps, wakeUps.owns)

  const evaluating: Module = {
    name: 'drift',
    run: async (signal) => {
      const pause = (ms: number) =>
        sleep(Math.min(Math.max(1, ms), MAX_PAUSE_MS), AbortSignal.any([signal, woken.signal]))
      const evaluate = batchEvaluator({
        agenda,
        gauges,
        wakeUps,
        models,
        seconds,
        tell,
        now,
        pause,
      })
      await Promise.all(evaluators.map((evaluator) => evaluate(evaluator, signal)))
    },
  }
  return [wakeUps.module, scanning.module, evaluating, live.module]
}
