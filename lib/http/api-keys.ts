import { createHash, timingSafeEqual } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import { ConfigError } from '../runtime/config.ts'
import { keyIdProblem, spellingProblems } from './key-ids.ts'

/**
 * What a key may do: send events, read results, answer reviews, decide about verdicts and runs, or
 * export and erase what is held of a person.
 */
export const SCOPES = ['emit', 'read', 'review', 'operate', 'admin'] as const
export type Scope = (typeof SCOPES)[number]

export interface Caller {
  /** The id of the key, the name of the token’s caller, or `anonymous` where no keys are set. */
  id: string
  scopes: ReadonlySet<Scope>
  /** Whether a key or a token said so. */
  isKnown: boolean
  /** When what said so ends, in epoch milliseconds; absent for what does not end. */
  expiresAt?: number
}

/**
 * Who sends this `Authorization` header: undefined when nobody known does.
 *
 * @throws {Problem} 401 for a token that is refused, 503 when it cannot be checked
 */
export type Authenticate = (
  header: string | undefined,
) => Caller | undefined | Promise<Caller | undefined>

interface KeyFile {
  keys: { id: string; sha256: string; scopes: Scope[] }[]
}

const validate = new Ajv({ allErrors: true }).compile<KeyFile>({
  type: 'object',
  required: ['keys'],
  additionalProperties: false,
  properties: {
    keys: {
      type: 'array',
      items: {
        type: 'object',
        required: ['id', 'sha256', 'scopes'],
        additionalProperties: false,
        properties: {
          id: { type: 'string', minLength: 1, maxLength: 180 },
          sha256: { type: 'string', pattern: '^[0-9a-f]{64}$' },
          scopes: { type: 'array', items: { enum: [...SCOPES] } },
        },
      },
    },
  },
})

/** Without a file every caller may do everything: the process then listens on loopback only. */
export const openAccess: Authenticate = () => ({
  id: 'anonymous',
  scopes: new Set(SCOPES),
  isKnown: false,
})

/** With an issuer of tokens and without a file no key is known. */
export const noKeys: Authenticate = () => undefined

/**
 * Reads `PLUMBLINE_AUTH_FILE`: `{"keys": [{"id", "sha256", "scopes"}]}`, `sha256` in hex of a
 * random key of 32 bytes or more (such a key needs no slow hash).
 *
 * @throws {ConfigError} when the file is missing or malformed
 */
export function readKeyFile(path: string): Authenticate {
  let file: unknown
  try {
    file = JSON.parse(readFileSync(path, 'utf8'))
  } catch (cause) {
    throw new ConfigError([`PLUMBLINE_AUTH_FILE ${path}: ${(cause as Error).message}`])
  }
  if (!validate(file)) {
    throw new ConfigError(
      (validate.errors ?? []).map(
        (e) => `PLUMBLINE_AUTH_FILE ${path}: ${e.instancePath} ${e.message ?? ''}`,
      ),
    )
  }
  const ids = file.keys.map((key) => key.id)
  const problems = [...ids.flatMap((id) => keyIdProblem(id) ?? []), ...spellingProblems(ids)]
  if (problems.length > 0)
    throw new ConfigError(problems.map((problem) => `PLUMBLINE_AUTH_FILE ${path}: ${problem}`))
  const keys = file.keys.map((key) => ({
    hash: Buffer.from(key.sha256, 'hex'),
    caller: { id: key.id, scopes: new Set(key.scopes), isKnown: true },
  }))
  return (header) => {
    const token = /^Bearer (.+)$/.exec(header ?? '')?.[1]
    if (token === undefined) return undefined
    const hash = createHash('sha256').update(token).digest()
    return keys.find((key) => timingSafeEqual(key.hash, hash))?.caller
  }
}
