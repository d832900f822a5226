/** The one file that knows every service. */
import Type, { type Static } from 'typebox'
import { statSync } from 'node:fs'
import { readKeyFile } from './lib/http/keys/key-callers.ts'
import { ConfigError, readConfig, unknownSettings } from './lib/runtime/config.ts'
import { addressOf } from './lib/http/server.ts'
import { allowedAddresses } from './lib/http/outgoing/outgoing-config.ts'
import { linkKeysOf } from './lib/http/links/link-keys.ts'
import type { Module } from './lib/runtime/modules.ts'
import { outboxModule } from './lib/postgres/outbox.ts'
import { checkPlatformConfig, type Needs } from './lib/platform/check-config.ts'
import { createPlatform, type Platform } from './lib/platform/platform.ts'
import { PlatformConfig } from './lib/platform/platform-config.ts'
import {
  printedAnalysts,
  printedTables,
  type PrintedMigrations,
} from './lib/platform/printed-sql.ts'
import { privacyOf } from './lib/platform/privacy-key.ts'
import { readModels } from './lib/models/reload/model-folder.ts'
import { readableSources } from './lib/platform/source-problems.ts'
import { readSources } from './lib/sources/source-files.ts'
import { AlertsConfig } from './services/alerts/config.ts'
import { unknownEscalations } from './services/alerts/decide/escalations.ts'
import { readAlertsFile } from './services/alerts/loop/alerts-file.ts'
import { alerts } from './services/alerts/module.ts'
import { DriftConfig } from './services/drift/config.ts'
import { drift } from './services/drift/module.ts'
import { FeedbackConfig } from './services/feedback/config.ts'
import { readFeedbackKeys } from './services/feedback/http/feedback-keys.ts'
import { feedback } from './services/feedback/module.ts'
import { IngestConfig } from './services/ingest/config.ts'
import { ingest } from './services/ingest/module.ts'
import { KeepConfig } from './services/keep/config.ts'
import { keep } from './services/keep/module.ts'
import { RetrainConfig } from './services/retrain-trigger/config.ts'
import { retrainTrigger } from './services/retrain-trigger/module.ts'

/** What `--target` may be; each names a list of modules. */
export const TARGETS = ['all', 'ingest', 'drift', 'feedback', 'retrain-trigger', 'stores'] as const
/** A value of `--target`. */
export type Target = (typeof TARGETS)[number]

/** The environment of all services together. */
export const Config = Type.Object({
  ...PlatformConfig.properties,
  ...IngestConfig.properties,
  ...DriftConfig.properties,
  ...FeedbackConfig.properties,
  ...RetrainConfig.properties,
  ...AlertsConfig.properties,
  ...KeepConfig.properties,
})
/** The environment of all services, as read and checked. */
export type Config = Static<typeof Config>

/** The modules of a process in the order of their start, and the platform under them. */
export interface Assembly {
  modules: Module[]
  platform: Platform
}

/** What `--help` prints. */
export const HELP = `Plumbline keeps machine-learning models true.

node main.ts [--target=TARGET] [--check-config | --migrate | --help]

  --target=all              every service in one process, with its stores (the default)
  --target=ingest           predictions in: HTTP and Kafka to ClickHouse
  --target=drift            evaluates models in windows of event time
  --target=feedback         labels, their join with predictions, review by people
  --target=retrain-trigger  policies, runs, approvals, alerts
  --target=stores           serves the embedded ClickHouse and PostgreSQL to the others

  --check-config            checks settings, key file, model, source and alerts files as a start does, and ends
  --migrate                 migrates ClickHouse and PostgreSQL, and ends
  --print                   prints ClickHouse's statements instead, of a cluster where one is set;
                            --after=NAME leaves out the migrations up to that one
  --print-analysts          prints roles, row policies and quotas of analysts, by team of the model files
  --help                    prints this

Settings are variables of the environment: docs/configuration.md lists them.
Running it, its alerts and what to do about them: docs/operations.md.
`

/** @throws {ConfigError} for an unknown name */
export function targetNamed(name: string): Target {
  const target = name === 'clickhouse' ? 'stores' : name
  if (!(TARGETS as readonly string[]).includes(target))
    throw new ConfigError([`--target=${name} is not one of ${TARGETS.join(', ')}`])
  return target as Target
}

/**
 * Variables that programs around this one read: examples, `npm run redrive`, benchmarks,
 * `compose.yaml`, started commands.
 */
const OF_OTHER_PROGRAMS = new Set([
  'PLUMBLINE_URL',
  'PLUMBLINE_KEY',
  'PLUMBLINE_INGEST_URL',
  'PLUMBLINE_BENCH_PYTHON',
  'PLUMBLINE_KEYS_FILE',
  'PLUMBLINE_RUN',
])

/** Targets that send alerts. */
const SENDERS: ReadonlySet<Target> = new Set(['all', 'retrain-trigger'])

/**
 * Every problem of the environment, the key file, the model, source and alerts files, without
 * starting anything.
 */
export function checkConfig(target: Target, env: Record<string, string | undefined>): void {
  const problems: string[] = []
  const collect = (check: () => void) => {
    try {
      check()
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      for (const problem of error.problems) problems.push(problem)
    }
  }
  let config: Config | undefined
  collect(() => (config = readConfig(Config, env)))
  if (config) collect(() => checkPlatformConfig(config!, needsOf(target, config!)))
  if (config) collect(() => void allowedAddresses(config!))
  collect(() => {
    const others = Object.fromEntries(
      Object.entries(env).filter(([name]) => !OF_OTHER_PROGRAMS.has(name)),
    )
    const unknown = unknownSettings(Object.keys(Config.properties), others)
    if (unknown.length > 0) throw new ConfigError(unknown)
  })
  if (env['PLUMBLINE_AUTH_FILE']) collect(() => readKeyFile(env['PLUMBLINE_AUTH_FILE']!))
  if (env['PLUMBLINE_MODELS_DIR'])
    collect(() => mustBeFolder('PLUMBLINE_MODELS_DIR', env['PLUMBLINE_MODELS_DIR']!))
  const folder = config?.PLUMBLINE_MODELS_DIR ?? env['PLUMBLINE_MODELS_DIR'] ?? './models'
  let declared: ReturnType<typeof readModels>['declared'] = []
  collect(() => {
    const models = readModels(folder)
    declared = models.declared
    if (config) privacyOf(config, models)
  })
  if (env['PLUMBLINE_SOURCES_DIR'])
    collect(() => mustBeFolder('PLUMBLINE_SOURCES_DIR', env['PLUMBLINE_SOURCES_DIR']!))
  if (config) collect(() => readableSources(config!))
  else collect(() => readSources(env['PLUMBLINE_SOURCES_DIR'] || './sources'))
  let hasLinks = false
  if (config) collect(() => (hasLinks = linkKeysOf(config!)().length > 0))
  collect(() => void readFeedbackKeys(config?.PLUMBLINE_FEEDBACK_KEY_FILE))
  const alertsFile = env['PLUMBLINE_ALERTS_FILE']
  const named = (receivers: readonly string[]) => {
    const unknown = SENDERS.has(target) ? unknownEscalations(declared, receivers) : []
    if (unknown.length > 0) throw new ConfigError(unknown)
  }
  collect(() => {
    if (!alertsFile) return named([])
    const { file } = readAlertsFile(alertsFile, (name) => env[name], hasLinks)
    named(file.receivers.map(({ name }) => name))
  })
  if (problems.length > 0) throw new ConfigError(problems)
}

/**
 * SQL for whoever may change a ClickHouse server that services may not: the migrations after one of
 * them, or what analysts may read by team. Nothing is asked of a server.
 *
 * @throws {ConfigError} for settings or model files that are wrong, or a migration there is not
 */
export function printedSql(
  env: Record<string, string | undefined>,
  what: PrintedMigrations | 'analysts',
): string {
  const config = readConfig(Config, env)
  return what === 'analysts'
    ? printedAnalysts(config, readModels(config.PLUMBLINE_MODELS_DIR))
    : printedTables(config, what)
}

/**
 * @throws {ConfigError} where the folder that was named is none: without its files models would be
 * monitored by the defaults, and topics not read
 */
function mustBeFolder(setting: string, path: string): void {
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory())
    throw new ConfigError([`${setting} ${path} is no folder`])
}

/**
 * Modules in the order of their start; they stop in reverse.
 *
 * @param environment the value of a variable that a launch names as a secret; undefined where it is
 *   not set
 */
export async function assemble(
  target: Target,
  config: Config,
  environment: (name: string) => string | undefined,
): Promise<Assembly> {
  const platform = await createPlatform(config, needsOf(target, config))
  const deps = {
    ...platform,
    environment,
    address: () => addressOf(platform.http),
    keyFile: config.PLUMBLINE_AUTH_FILE,
    dataDir: config.PLUMBLINE_DATA_DIR,
  }
  const outbox = () =>
    outboxModule({ ...platform, clickhouse: platform.clickhouse('outbox') }, platform.log)
  const targets: Record<Target, () => Module[]> = {
    ingest: () => ingest(deps, config),
    drift: () => drift(deps, config),
    feedback: () => [...feedback(deps, config), ...keep(deps, config), outbox()],
    'retrain-trigger': () => [...retrainTrigger(deps, config), ...alerts(deps, config), outbox()],
    all: () => [
      ...ingest(deps, config),
      ...drift(deps, config),
      ...feedback(deps, config),
      ...retrainTrigger(deps, config),
      ...alerts(deps, config),
      ...keep(deps, config),
      outbox(),
    ],
    stores: () => [],
  }
  return { platform, modules: [...platform.before, ...targets[target](), ...platform.after] }
}

function needsOf(target: Target, config: Config): Needs {
  return {
    stores: target === 'all' || target === 'stores',
    postgres: target === 'all' || target === 'feedback' || target === 'retrain-trigger',
    eventLog: target !== 'stores',
    serveStores: target === 'stores',
    maxBodyBytes: config.PLUMBLINE_MAX_BODY_BYTES,
    maxPendingBytes: config.PLUMBLINE_MAX_PENDING_BYTES,
  }
}
