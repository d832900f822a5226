/** The parts of a process that ask judges, send their labels, and mute them. */
import type { ClickHouse } from '../../../../lib/clickhouse/port.ts'
import type { EventLog } from '../../../../lib/event-log/port.ts'
import { guardedFetch } from '../../../../lib/http/outgoing/guarded-fetch.ts'
import type { AllowedAddresses } from '../../../../lib/http/outgoing/address-rules.ts'
import type { PriceTable } from '../../../../lib/models/derived/price-table.ts'
import type { Models } from '../../../../lib/models/model-files.ts'
import type { SecretOf } from '../../../../lib/models/secret-references.ts'
import type { Postgres } from '../../../../lib/postgres/port.ts'
import { messageOf } from '../../../../lib/runtime/errors.ts'
import type { Logger } from '../../../../lib/runtime/log.ts'
import type { Metrics } from '../../../../lib/runtime/metrics.ts'
import type { Module } from '../../../../lib/runtime/modules.ts'
import { pollLoop, type PollLoopOptions } from '../../../../lib/runtime/poll-loop.ts'
import type { ReadPromptFile } from '../../queries/judges/prompt-files.ts'
import type { ItemFailures } from '../item-failures.ts'
import { askLoop, askStep, tidyStep, underWayEnded } from './ask-judges.ts'
import { emitJudgements } from './emit-judgements.ts'
import { judgeMetrics } from './judge-metrics.ts'
import type { Judging } from './judging.ts'
import { muteJudges } from './mute-judges.ts'

/** What the parts are built on. */
export interface JudgeParts {
  clickhouse: (role: string) => ClickHouse
  postgres: Postgres
  eventLog: Pick<EventLog, 'append'>
  models: Models
  metrics: Metrics
  failures: ItemFailures
  log: Logger
  now: () => number
  prices: () => PriceTable
  environment: SecretOf
  allowed: AllowedAddresses
  allowsCommands: boolean
  readPrompt: ReadPromptFile
}

const ASK = { everyMs: 500, longestIdleMs: 10_000 }
const EMIT = { everyMs: 250, longestIdleMs: 10_000 }
const TIDY_MS = 60_000
const METRICS_MS = 10_000

/** The modules that have judges asked; idle where no model file names any. */
export function judgeModules(parts: JudgeParts): Module[] {
  const { postgres, eventLog, models, metrics, failures, log, now } = parts
  const { count, refresh } = judgeMetrics(metrics.registry, postgres, models, now)
  const stopping = new AbortController()
  const judging: Judging = {
    db: parts.clickhouse('feedback-judges'),
    postgres,
    readPrompt: parts.readPrompt,
    prices: parts.prices,
    allowsCommands: parts.allowsCommands,
    failures,
    log,
    count,
    random: Math.random,
    fetch: guardedFetch(parts.allowed),
    environment: parts.environment,
    stopping: stopping.signal,
    now,
  }
  const emitter = { postgres, eventLog, failures, now, setAside: new Map<string, number>() }
  const emitted = quietly(log, 'judge labels', EMIT, () => emitJudgements(emitter))
  const loop = askLoop(judging, models, () => {
    asked.wake()
    emitted.wake()
  })
  const asked = quietly(log, 'judges', ASK, () => askStep(loop))
  const agreement = { db: parts.clickhouse('feedback-agreement'), ...parts }
  return [
    { name: 'judges under way', stop: () => underWayEnded(loop) },
    emitted.module,
    asked.module,
    quietly(log, 'judge agreement', { everyMs: TIDY_MS }, async () => {
      await tidyStep(judging)
      await muteJudges(agreement)
    }).module,
    quietly(log, 'judge metrics', { everyMs: METRICS_MS }, refresh).module,
    { name: 'requests to judges', stop: async () => stopping.abort() },
  ]
}

/** A loop whose failed steps are logged and tried again. */
const quietly = (
  log: Logger,
  name: string,
  pause: Pick<PollLoopOptions, 'everyMs' | 'longestIdleMs'>,
  step: PollLoopOptions['step'],
) =>
  pollLoop({
    name,
    ...pause,
    step,
    onError: (error) =>
      log.warn({ loop: name, error: messageOf(error) }, 'step failed, trying again'),
  })
