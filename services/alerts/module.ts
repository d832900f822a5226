import type { ClickHouse } from '../../lib/clickhouse/port.ts'
import { guardedAddress, guardedFetch } from '../../lib/http/outgoing/guarded-fetch.ts'
import { allowedAddresses, type OutgoingConfig } from '../../lib/http/outgoing/outgoing-config.ts'
import type { Http } from '../../lib/http/server.ts'
import { linkKeysOf } from '../../lib/http/links/link-keys.ts'
import type { Models } from '../../lib/models/model-files.ts'
import type { SecretOf } from '../../lib/models/secret-references.ts'
import type { Postgres } from '../../lib/postgres/port.ts'
import { messageOf } from '../../lib/runtime/errors.ts'
import type { Logger } from '../../lib/runtime/log.ts'
import type { Metrics } from '../../lib/runtime/metrics.ts'
import type { Module } from '../../lib/runtime/modules.ts'
import { pollLoop } from '../../lib/runtime/poll-loop.ts'
import type { AlertsConfig } from './config.ts'
import { pageOfAlarm, reportOfAlarm } from './decide/addresses.ts'
import { alertsRoutes } from './http/alerts-out-routes.ts'
import { liveAlerts, type LiveAlerts } from './loop/alerts-file.ts'
import { deliveryMetrics } from './loop/delivery-metrics.ts'
import { alerting, alertSender } from './loop/send-alerts.ts'
import { alertsSender, sending } from './loop/send-messages.ts'
import { forgetTold, tellIncidents } from './loop/tell-incidents.ts'
import { alarmsOfModels } from './queries/findings.ts'

/** What the service takes from the process it runs in. */
export interface AlertsDeps {
  http: Http
  clickhouse: (role: string) => ClickHouse
  postgres: Postgres
  models: Models
  metrics: Metrics
  log: Logger
  now: () => number
  webhookSecret: () => string
  /** The value of a variable that the file names as `secret://env/NAME`. */
  environment: SecretOf
  /** Where the HTTP server listens, once it does. */
  address: () => string
  /** Has a function called when files are to be read anew. */
  onReload: (listener: () => void) => void
}

/** The settings that alerts go by; how often files are looked at is the platform's. */
export type AlertsSettings = AlertsConfig &
  OutgoingConfig & { PLUMBLINE_MODELS_POLL_SECONDS: number }

const LOOK_MS = 15_000
const FORGET_MS = 3_600_000

/** Active alarms and failed runs -> incidents -> messages to receivers; alarms -> Alertmanager. */
export function alerts(deps: AlertsDeps, config: AlertsSettings): Module[] {
  const base = () => (config.PLUMBLINE_PUBLIC_URL ?? deps.address()).replace(/\/$/, '')
  const live = liveOf(deps, config)
  const telling = live && tellingOf(deps, config, { live, base })
  const { http, postgres, models, now } = deps
  alertsRoutes(http, {
    postgres,
    models,
    base,
    now,
    alerts: live?.inForce,
    wake: telling?.wake ?? (() => {}),
  })
  return [...(telling?.modules ?? []), ...toAlertmanager(deps, config, base)]
}

function liveOf(deps: AlertsDeps, config: AlertsSettings): LiveAlerts | undefined {
  const { metrics, log, now, environment, onReload } = deps
  const path = config.PLUMBLINE_ALERTS_FILE
  if (path === undefined) return undefined
  const everyMs = config.PLUMBLINE_MODELS_POLL_SECONDS * 1000
  const { registry } = metrics
  const hasLinks = linkKeysOf(config)().length > 0
  const live = liveAlerts({ path, hasLinks, secretOf: environment, everyMs, registry, log, now })
  onReload(live.reload)
  return live
}

function tellingOf(
  deps: AlertsDeps,
  config: AlertsSettings,
  { live, base }: { live: LiveAlerts; base: () => string },
): { modules: Module[]; wake: () => void } {
  const { postgres, log, now, metrics, models, environment } = deps
  const allowed = allowedAddresses(config)
  const counted = deliveryMetrics(metrics, postgres, now)
  const receivers = () => live.inForce().file.receivers.map(({ name }) => name)
  counted.begin(receivers())
  live.onChange(() => counted.begin(receivers()))
  const sender = sending(
    alertsSender({
      postgres,
      log,
      now,
      random: Math.random,
      count: counted.count,
      alerts: live.inForce,
      fetch: guardedFetch(allowed),
      linkKeys: linkKeysOf(config),
      base,
      addressOf: guardedAddress(allowed),
      secretOf: environment,
      webhookSecret: config.PLUMBLINE_WEBHOOK_SECRET ?? deps.webhookSecret(),
    }),
  )
  const parts = { db: deps.clickhouse('alerts'), postgres, models, base, now }
  let forgottenAt = 0
  const looking = pollLoop({
    name: 'incidents',
    everyMs: LOOK_MS,
    rest: 0,
    step: async () => {
      const told = await tellIncidents({ ...parts, file: () => live.inForce().file })
      if (told > 0) sender.wake()
      if (now() - forgottenAt < FORGET_MS) return
      await forgetTold(parts)
      forgottenAt = now()
    },
    onError: (error) => log.warn({ error: messageOf(error) }, 'incidents not read, trying again'),
  })
  live.onChange(looking.wake)
  const watching = live.watching ? [live.watching] : []
  return { modules: [...watching, ...sender.modules, looking.module], wake: sender.wake }
}

function toAlertmanager(
  { models, log, now, clickhouse }: AlertsDeps,
  { PLUMBLINE_ALERTMANAGER_URL: url }: AlertsConfig,
  base: () => string,
): Module[] {
  if (url === undefined) return []
  const sender = alertSender({
    url,
    texts: {
      ownershipOf: (modelId) => models.get(modelId).ownership,
      pageOf: (alarm) => pageOfAlarm(base(), alarm),
      reportOf: (alarm) => reportOfAlarm(base(), alarm),
    },
    log,
    now,
  })
  const db = clickhouse('alertmanager')
  return [alerting(sender, () => alarmsOfModels(db))]
}
