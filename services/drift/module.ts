import { Histogram } from 'prom-client'
import type { ClickHouse } from '../../lib/clickhouse.ts'
import { sleep } from '../../lib/clock.ts'
import { messageOf } from '../../lib/errors.ts'
import type { EventLog } from '../../lib/event-log.ts'
import type { Http } from '../../lib/http.ts'
import type { Logger } from '../../lib/log.ts'
import type { Metrics } from '../../lib/metrics.ts'
import type { Models } from '../../lib/models.ts'
import type { Module } from '../../lib/modules.ts'
import { TOPICS } from '../../schemas/topics.ts'
import type { DriftConfig } from './config.ts'
import { decisionQueries, decisionRoutes } from './decisions.ts'
import { createGauges } from './gauges.ts'
import { createJudge } from './judge.ts'
import { driftQueries } from './queries.ts'
import { driftRoutes } from './routes.ts'

export interface DriftDeps {
  http: Http
  eventLog: EventLog
  clickhouse: (role: string) => ClickHouse
  models: Models
  metrics: Metrics
  log: Logger
  now: () => number
}

const RETRY_MS = 2000

/** Judges windows: woken by hints, and every so often unasked, for the models whose hints come to this process. */
export function drift(deps: DriftDeps, config: DriftConfig): Module[] {
  const { models, log, metrics, now, eventLog } = deps
  const db = deps.clickhouse('drift')
  const queries = driftQueries(db)
  const gauges = createGauges(metrics)
  const judgeModel = createJudge({
    db,
    queries,
    decisions: decisionQueries(db),
    eventLog,
    gauges,
    now,
  })
  const reader = deps.clickhouse('drift-http')
  driftRoutes(deps.http, { db: reader, queries: driftQueries(reader), models, now })
  decisionRoutes(deps.http, reader, now)
  const seconds = new Histogram({
    name: 'plumbline_window_evaluation_seconds',
    help: 'Time to judge all that was due of one model.',
    buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers: [metrics.registry],
  })

  /** Models to look at, by the time from which. */
  const wanted = new Map<string, number>()
  let wake = () => {}
  const want = (modelId: string, at: number) => {
    wanted.set(modelId, Math.min(wanted.get(modelId) ?? Infinity, at))
    wake()
  }
  const hints = eventLog.hints({
    topic: TOPICS.windows.topic,
    group: 'plumbline-drift',
    onMessage: async ({ key }) => want(key, 0),
  })

  async function judgeWanted() {
    for (const [modelId, at] of wanted) {
      if (at > now()) continue
      wanted.delete(modelId)
      if (!hints.owns(modelId)) {
        gauges.forget(modelId)
        continue
      }
      const stop = seconds.startTimer()
      try {
        const comeBack = await judgeModel(models.get(modelId), () => hints.owns(modelId))
        if (comeBack !== undefined) want(modelId, comeBack)
      } catch (error) {
        log.error({ model_id: modelId, error: messageOf(error) }, 'model not judged, trying again')
        want(modelId, now() + RETRY_MS)
      }
      stop()
    }
  }

  const judging: Module = {
    name: 'drift',
    run: async (signal) => {
      let nextScan = 0
      while (!signal.aborted) {
        if (now() >= nextScan) {
          nextScan = now() + config.PLUMBLINE_DRIFT_SCAN_SECONDS * 1000
          try {
            for (const modelId of await queries.modelIds()) want(modelId, 0)
          } catch (error) {
            log.error({ error: messageOf(error) }, 'models not listed, trying again')
            nextScan = now() + RETRY_MS
          }
        }
        await judgeWanted()
        const woken = new AbortController()
        wake = () => woken.abort()
        const next = Math.min(nextScan, ...wanted.values())
        await sleep(Math.max(1, next - now()), AbortSignal.any([signal, woken.signal]))
      }
    },
  }
  return [hints.module, judging]
}
