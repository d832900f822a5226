import { smallest } from '../../lib/stats/extremes.ts'
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
import type { SinkParts } from '../../lib/sink.ts'
import { TOPICS } from '../../schemas/topics.ts'
import type { DriftConfig } from './config.ts'
import { canaryRoutes } from './canary-routes.ts'
import { decisionQueries, decisionRoutes } from './decisions.ts'
import { allGauges, createGauges } from './gauges.ts'
import { createJudge } from './judge.ts'
import { driftQueries } from './queries.ts'
import { referenceRoutes } from './reference-routes.ts'
import { driftRoutes } from './routes.ts'
import { trustyaiGauges } from './trustyai-gauges.ts'

export interface DriftDeps {
  http: Http
  eventLog: EventLog
  clickhouse: (role: string) => ClickHouse
  models: Models
  metrics: Metrics
  log: Logger
  sinkParts: Pick<SinkParts, 'spool'>
  now: () => number
}

const RETRY_MS = 2000
/** Batches of models judged at the same time, and how many one batch has. */
const JUDGES = 3
export const BATCH = 8

/** Judges windows: woken by hints, and every so often unasked, for the models whose hints come to this process. */
export function drift(deps: DriftDeps, config: DriftConfig): Module[] {
  const { models, log, metrics, now, eventLog } = deps
  const gauges = allGauges([
    createGauges(metrics),
    ...(config.PLUMBLINE_TRUSTYAI_GAUGES === 'on' ? [trustyaiGauges(metrics)] : []),
  ])
  /** A connection runs its queries one after another, and most of judging is waiting for them. */
  const restedUntil = new Map<string, number>()
  const judges = Array.from({ length: JUDGES }, (_, i) => {
    const db = deps.clickhouse(`drift-${i}`)
    const queries = driftQueries(db)
    const decisions = decisionQueries(db)
    return {
      progress: queries.progress,
      judge: createJudge({ db, queries, decisions, eventLog, gauges, now, restedUntil }),
    }
  })
  const listing = driftQueries(deps.clickhouse('drift'))
  const reader = deps.clickhouse('drift-http')
  const asked = { db: reader, queries: driftQueries(reader), models, now }
  driftRoutes(deps.http, asked)
  canaryRoutes(deps.http, asked)
  referenceRoutes(deps.http, { ...asked, spool: deps.sinkParts.spool })
  decisionRoutes(deps.http, reader, now)
  const seconds = new Histogram({
    name: 'plumbline_window_evaluation_seconds',
    help: 'Time to judge all that was due of a batch of models.',
    buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers: [metrics.registry],
  })

  /** Models to look at, by the time from which. */
  const wanted = new Map<string, number>()
  let wake = () => {}
  let nextScan = 0
  const want = (modelId: string, at: number) => {
    wanted.set(modelId, Math.min(wanted.get(modelId) ?? Infinity, at))
    wake()
  }
  const hints = eventLog.hints({
    topic: TOPICS.windows.topic,
    group: 'plumbline-drift',
    onMessage: async ({ key }) => want(key, 0),
    assigned: () => {
      nextScan = 0
      wake()
    },
  })

  /** Models that are being judged this moment: none is by two at once. */
  const underway = new Set<string>()

  /** Takes models that are wanted now; they are underway until they are judged. */
  function take(): string[] {
    const taken: string[] = []
    for (const [modelId, at] of wanted) {
      if (taken.length === BATCH) break
      if (at > now() || underway.has(modelId)) continue
      wanted.delete(modelId)
      if (!hints.owns(modelId)) gauges.forget(modelId)
      else {
        underway.add(modelId)
        taken.push(modelId)
      }
    }
    return taken
  }

  async function judgeWanted({ progress, judge }: (typeof judges)[number]) {
    for (let ids = take(); ids.length > 0; ids = take()) {
      const stop = seconds.startTimer()
      const again = (id: string, error: unknown) => {
        log.error({ model_id: id, error: messageOf(error) }, 'model not judged, trying again')
        want(id, now() + RETRY_MS)
      }
      try {
        const come = await progress(ids.map((id) => models.get(id)))
        // Side by side, so that what they ask alike is asked once.
        await Promise.all(
          ids.map(async (id) => {
            try {
              const comeBack = await judge(models.get(id), come.get(id)!, () => hints.owns(id))
              if (comeBack !== undefined) want(id, comeBack)
            } catch (error) {
              again(id, error)
            }
          }),
        )
      } catch (error) {
        for (const id of ids) again(id, error)
      }
      for (const id of ids) underway.delete(id)
      stop()
    }
  }

  const judging: Module = {
    name: 'drift',
    run: async (signal) => {
      while (!signal.aborted) {
        if (now() >= nextScan) {
          nextScan = now() + config.PLUMBLINE_DRIFT_SCAN_SECONDS * 1000
          try {
            for (const modelId of await listing.modelIds()) want(modelId, 0)
          } catch (error) {
            log.error({ error: messageOf(error) }, 'models not listed, trying again')
            nextScan = now() + RETRY_MS
          }
        }
        await Promise.all(judges.map(judgeWanted))
        const woken = new AbortController()
        wake = () => woken.abort()
        const next = Math.min(nextScan, smallest(wanted.values()))
        await sleep(Math.max(1, next - now()), AbortSignal.any([signal, woken.signal]))
      }
    },
  }
  return [hints.module, judging]
}
