/** Starts a target: `node main.ts --target=all`. `--help` says what else there is. */
import { parseArgs } from 'node:util'
import { ConfigError, readConfig } from './lib/runtime/config.ts'
import { messageOf } from './lib/runtime/errors.ts'
import { onHangUp, onSignals, runModules } from './lib/runtime/modules.ts'
import { assemble, checkConfig, Config, HELP, printedSql, targetNamed } from './targets.ts'

try {
  const values = readArguments()
  if (values.help) {
    process.stdout.write(HELP)
    process.exit(0)
  }
  if (values.print || values['print-analysts']) {
    process.stdout.write(
      printedSql(process.env, values.print ? { after: values.after } : 'analysts'),
    )
    process.exit(0)
  }
  const target = targetNamed(values.target)
  checkConfig(target, process.env)
  if (values['check-config']) {
    console.log('settings, key file, model, source and alerts files are valid')
  } else {
    const config = readConfig(Config, process.env)
    const { modules, platform } = await assemble(
      values.migrate ? 'stores' : target,
      config,
      (name) => process.env[name],
    )
    onHangUp(platform.reload)
    const signal = values.migrate ? AbortSignal.abort() : onSignals('SIGINT', 'SIGTERM')
    if (values.migrate) await migrateOnly(modules)
    else await runModules(modules, signal, platform.log, platform)
  }
  process.exit(0)
} catch (error) {
  console.error(
    error instanceof ConfigError ? error.message : `plumbline stopped: ${messageOf(error)}`,
  )
  process.exit(1)
}

/** @throws {ConfigError} for an argument that there is not */
function readArguments() {
  try {
    return parseArgs({
      options: {
        target: { type: 'string', default: 'all' },
        'check-config': { type: 'boolean', default: false },
        migrate: { type: 'boolean', default: false },
        print: { type: 'boolean', default: false },
        'print-analysts': { type: 'boolean', default: false },
        after: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values
  } catch (error) {
    throw new ConfigError([`${messageOf(error).split('. ')[0]}; --help lists what there is`])
  }
}

/** The stores migrate when they start. */
async function migrateOnly(
  modules: Awaited<ReturnType<typeof assemble>>['modules'],
): Promise<void> {
  const stores = modules.filter(
    (module) => module.name === 'clickhouse' || module.name === 'postgres',
  )
  for (const module of stores) await module.start?.()
  for (const module of stores.toReversed()) await module.stop?.()
  console.log('migrated')
}
