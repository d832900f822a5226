import { schedule, type ScheduledTask } from 'node-cron'
import { Counter, Gauge } from 'prom-client'
import type { ClickHouse } from '../../lib/clickhouse/port.ts'
import { sleep } from '../../lib/runtime/clock.ts'
import { messageOf } from '../../lib/runtime/errors.ts'
import type { EventLog } from '../../lib/event-log/port.ts'
import type { Http } from '../../lib/http/server.ts'
import type { Logger } from '../../lib/runtime/log.ts'
import type { Metrics } from '../../lib/runtime/metrics.ts'
import type { Models } from '../../lib/models/model-files.ts'
import type { Module } from '../../lib/runtime/modules.ts'
import type { Postgres } from '../../lib/postgres/port.ts'
import { TOPICS } from '../../schemas/topics.ts'
import { alertSender } from './loop/send-alerts.ts'
import type { RetrainConfig } from './config.ts'
import { dueModels } from './decide/due-models.ts'
import { launcher } from './launchers/launch.ts'
import { policyEngine } from './loop/policies.ts'
import { policyQueries } from './queries/policy-queries.ts'
import { retrainRoutes } from './http/routes.ts'
import { runLedger } from './queries/runs.ts'

export interface RetrainDeps {
  http: Http
  eventLog: EventLog
  clickhouse: (role: string) => ClickHouse
  postgres: Postgres
  models: Models
  metrics: Metrics
  log: Logger
  now: () => number
  webhookSecret: () => string
  /** Where the HTTP server listens, once it does. */
  address: () => string
}

/** How often it is asked which models have windows that their policies have not answered for: one statement for all. */
const SCAN_MS = 1000
/** How often labels are counted for policies that wait for them. */
const LABELS_MS = 5000
const ALERT_MS = 15_000
/** Between two rounds, as a multiple of how long the last one took. */
const REST = 3
const LONGEST_REST_MS = 5000

/** Policies -> runs -> jobs; alerts out and in; the audit log. */
export function retrainTrigger(deps: RetrainDeps, config: RetrainConfig): Module[] {
  const { models, metrics, log, now, postgres, eventLog } = deps
  const queries = policyQueries(deps.clickhouse('retrain-trigger'))
  const ledger = runLedger(postgres, now)
  const engine = policyEngine(models, { queries, ledger, now })
  const secret = config.PLUMBLINE_WEBHOOK_SECRET ?? deps.webhookSecret()
  const jobs = launcher({
    ledger,
    log,
    now,
    secret,
    publicUrl: () => config.PLUMBLINE_PUBLIC_URL ?? deps.address(),
    allowsCommands: config.PLUMBLINE_ALLOW_COMMANDS === 'on',
  })
  const setAside = new Counter({
    name: 'plumbline_policies_set_aside_total',
    help: 'Times that a policy could not be evaluated or a run not launched; others go on.',
    labelNames: ['model_id', 'policy'],
    registers: [metrics.registry],
  })
  new Gauge({
    name: 'plumbline_retrain_runs',
    help: 'Retraining runs by state.',
    labelNames: ['model_id', 'state'],
    registers: [metrics.registry],
    collect: async function () {
      this.reset()
      for (const { model_id, state, n } of await ledger.states()) this.set({ model_id, state }, n)
    },
  })

  const due = dueModels()
  let wake = () => {}
  retrainRoutes(deps.http, {
    ledger,
    engine,
    postgres,
    queries,
    secret,
    now,
    wake: () => wake(),
  })
  const hints = eventLog.hints({
    topic: TOPICS.verdicts.topic,
    group: 'plumbline-retrain',
    onMessage: async ({ key }) => {
      due.want(key)
      wake()
    },
  })

  async function evaluateWanted() {
    for (const modelId of due.take()) {
      try {
        const { failures, more } = await engine.evaluate(modelId)
        for (const { policy, error } of failures) failed(modelId, policy, error)
        if (more) due.want(modelId)
        else if (failures.length === 0) due.answered(modelId)
      } catch (error) {
        failed(modelId, '', error)
      }
    }
  }

  /** A window without a verdict sends no message, and new labels send none. */
  async function look(withLabels: boolean) {
    due.found(await queries.revisions(engine.modelIds()))
    if (withLabels) for (const modelId of engine.labelCounters()) due.want(modelId)
  }

  function failed(modelId: string, policy: string, error: unknown) {
    setAside.inc({ model_id: modelId, policy })
    log.error(
      { model_id: modelId, policy, error: messageOf(error) },
      'policy set aside, trying again at its next look',
    )
  }

  async function launchDue() {
    for (const run of await ledger.toLaunch()) {
      const policy = engine.policyOf(run.model_id, run.policy)
      if (policy) jobs.begin(run, policy.launch)
      else
        await ledger
          .report(run.run_id, 'failed', 'launcher', {
            message: `the model file no longer has the policy ${run.policy}`,
          })
          .catch((error: unknown) => failed(run.model_id, run.policy, error))
    }
  }

  const deciding: Module = {
    name: 'retrain-trigger',
    start: () => failLostCommands(),
    run: async (signal) => {
      let nextScan = 0
      let nextLabels = 0
      let restMs = 0
      while (!signal.aborted) {
        try {
          const at = now()
          if (at >= nextScan) {
            const withLabels = at >= nextLabels
            nextScan = at + SCAN_MS
            if (withLabels) nextLabels = at + LABELS_MS
            await look(withLabels)
          }
          const begun = performance.now()
          await evaluateWanted()
          restMs = Math.min(LONGEST_REST_MS, (performance.now() - begun) * REST)
          await launchDue()
        } catch (error) {
          log.error(
            { error: messageOf(error) },
            'policies not asked or runs not launched, trying again',
          )
        }
        const woken = new AbortController()
        wake = () => woken.abort()
        // A window's verdicts come one by one: what comes meanwhile is answered for together.
        await sleep(restMs, signal)
        if (due.isIdle())
          await sleep(Math.max(1, nextScan - now()), AbortSignal.any([signal, woken.signal]))
      }
      await jobs.stop()
    },
  }

  /** A command ends with the process that started it. */
  async function failLostCommands() {
    for (const run of await ledger.inFlight()) {
      const policy = engine.policyOf(run.model_id, run.policy)
      if (policy?.launch.kind === 'command')
        await ledger.report(run.run_id, 'failed', 'launcher', {
          message: 'the process that ran the command has ended',
        })
    }
  }

  let tasks: ScheduledTask[] = []
  const clock: Module = {
    name: 'retrain schedules',
    start: async () => {
      tasks = engine.crons().map(({ modelId, cron }) =>
        schedule(
          cron,
          async () => {
            try {
              const { failures } = await engine.tick(modelId, cron, now())
              for (const { policy, error } of failures) failed(modelId, policy, error)
              wake()
            } catch (error) {
              failed(modelId, '', error)
            }
          },
          { timezone: 'UTC' },
        ),
      )
    },
    stop: async () => {
      for (const task of tasks) await task.stop()
    },
  }

  return [
    hints.module,
    deciding,
    clock,
    ...(config.PLUMBLINE_ALERTMANAGER_URL ? [alerting(config.PLUMBLINE_ALERTMANAGER_URL)] : []),
  ]

  function alerting(url: string): Module {
    const send = alertSender(url, log, now)
    return {
      name: 'alerts',
      run: async (signal) => {
        while (!signal.aborted) {
          try {
            await send(await queries.standingAlarms())
          } catch (error) {
            log.warn({ error: messageOf(error) }, 'standing alarms not read, trying again')
          }
          await sleep(ALERT_MS, signal)
        }
      },
    }
  }
}
