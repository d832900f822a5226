/**
 * What every `services/<name>/main.ts` does: configuration, platform, modules, signals, exit code.
 */
import Type, { type Static, type TProperties } from 'typebox'
import { ConfigError, readConfig } from '../runtime/config.ts'
import { messageOf } from '../runtime/errors.ts'
import { addressOf } from '../http/server.ts'
import { onHangUp, onSignals, runModules, type Module } from '../runtime/modules.ts'
import type { Needs } from './check-config.ts'
import { createPlatform, type Platform } from './platform.ts'
import { PlatformConfig } from './platform-config.ts'

type ServiceConfig<P extends TProperties> = PlatformConfig &
  Static<ReturnType<typeof Type.Object<P>>>

/** What a service says of itself when it is started by its own `main.ts`. */
export interface ServiceMain<P extends TProperties> {
  properties: P
  needs: Needs
  env: Record<string, string | undefined>
  build: (deps: Platform & { address: () => string }, config: ServiceConfig<P>) => Module[]
}

/** Runs one service until a signal or a failure; resolves with the exit code. */
export async function runService<P extends TProperties>({
  properties,
  needs,
  env,
  build,
}: ServiceMain<P>): Promise<number> {
  try {
    const schema = Type.Object({ ...PlatformConfig.properties, ...properties })
    const config = readConfig(schema, env) as ServiceConfig<P>
    const platform = await createPlatform(config, needs)
    const modules = build({ ...platform, address: () => addressOf(platform.http) }, config)
    onHangUp(platform.reload)
    await runModules(
      [...platform.before, ...modules, ...platform.after],
      onSignals('SIGINT', 'SIGTERM'),
      platform.log,
      platform,
    )
    return 0
  } catch (error) {
    console.error(error instanceof ConfigError ? error.message : `stopped: ${messageOf(error)}`)
    return 1
  }
}
