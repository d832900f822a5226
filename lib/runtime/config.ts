import { Ajv, type ErrorObject } from 'ajv'
import type { Static, TObject } from 'typebox'
import { didYouMean } from './nearest-name.ts'

/** Every problem of a configuration at once. */
export class ConfigError extends Error {
  readonly problems: readonly string[]
  constructor(problems: readonly string[]) {
    super(`invalid configuration:\n${problems.map((p) => `  - ${p}`).join('\n')}`)
    this.name = 'ConfigError'
    this.problems = problems
  }
}

const ajv = new Ajv({ coerceTypes: true, useDefaults: true, allErrors: true, strict: false })

/**
 * Reads the variables that `schema` names from the environment: strings are coerced to the declared
 * types, gaps take their defaults, an empty string counts as unset, and the result is frozen.
 *
 * @throws {ConfigError} with every problem at once
 */
export function readConfig<T extends TObject>(
  schema: T,
  env: Record<string, string | undefined>,
): Static<T> {
  const names = Object.keys(schema.properties)
  const values = Object.fromEntries(
    names.flatMap((name) =>
      env[name] === undefined || env[name] === '' ? [] : [[name, env[name]]],
    ),
  )
  const validate = ajv.compile(schema)
  if (!validate(values)) {
    throw new ConfigError(
      (validate.errors ?? []).map(
        (e) => `${e.instancePath.slice(1) || '(environment)'} ${problemOf(e)}`,
      ),
    )
  }
  return Object.freeze(values) as Static<T>
}

/** What is wrong with a value; of several allowed ones, which they are. */
const problemOf = ({ keyword, params, message }: ErrorObject): string =>
  keyword === 'enum'
    ? `must be one of ${(params['allowedValues'] as readonly string[]).join(', ')}`
    : (message ?? 'is invalid')

/**
 * Variables that Kubernetes sets for every Service of a namespace, one called `plumbline-ingest`
 * say.
 */
const OF_SERVICES = /_SERVICE_HOST$|_SERVICE_PORT(_\w+)?$|_PORT_\d+_(TCP|UDP|SCTP)(_\w+)?$/

/**
 * Variables of the environment that begin as ours do and that no setting is called, each as a
 * sentence.
 *
 * @param known names of settings
 */
export function unknownSettings(
  known: readonly string[],
  env: Record<string, string | undefined>,
): string[] {
  const names = new Set(known)
  return Object.entries(env).flatMap(([name, value]) => {
    if (!name.startsWith('PLUMBLINE_') || names.has(name) || OF_SERVICES.test(name)) return []
    if (name.endsWith('_PORT') && /^(tcp|udp|sctp):/.test(value ?? '')) return []
    return `${name} is no setting${didYouMean(name, known) || '; docs/configuration.md lists them'}`
  })
}
