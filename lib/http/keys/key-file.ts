/** The file of API keys: what stands in it, and which faults it may have. Pure. */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { grantOf, SCOPES, type Grant, type Scope } from '../grants.ts'
import { keyIdProblem, spellingProblems } from '../key-ids.ts'
import { compiledSchema } from '../../runtime/compiled-schema.ts'

/** One key; of those that the command makes the file holds a salted hash and nothing else. */
export interface KeyEntry {
  /** Who calls with it: several keys of one caller have one id. */
  id: string
  /** SHA-256 in hex of a key that was made by hand. */
  sha256?: string
  /** What names the key, in the key itself and in commands; beside `salt` and `hash`. */
  key?: string
  salt?: string
  /** HMAC-SHA-256 of the whole key under `salt`, both in hex. */
  hash?: string
  /** What it may do, for all models; or `grants`. */
  scopes?: Scope[]
  /** Roles, for all models or for some: `analyst`, `operator@model:fraud`, `reviewer@team:risk`. */
  grants?: string[]
  /** RFC 3339. */
  created?: string
  /** RFC 3339; absent for a key that does not end. */
  expires?: string
}

const hex = (bytes: number) => ({ type: 'string', pattern: `^[0-9a-f]{${bytes * 2}}$` })
const time = { type: 'string', pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?Z$' }
const MAX_KEYS = 10_000

const validator = compiledSchema<{ keys: KeyEntry[] }>({
  type: 'object',
  required: ['keys'],
  additionalProperties: false,
  properties: {
    keys: {
      type: 'array',
      maxItems: MAX_KEYS,
      items: {
        type: 'object',
        required: ['id'],
        additionalProperties: false,
        properties: {
          id: { type: 'string', minLength: 1, maxLength: 180 },
          sha256: hex(32),
          key: hex(6),
          salt: hex(16),
          hash: hex(32),
          scopes: { type: 'array', items: { enum: [...SCOPES] } },
          grants: { type: 'array', maxItems: 1000, items: { type: 'string', maxLength: 300 } },
          created: time,
          expires: time,
        },
      },
    },
  },
})

/** What a key file says, or every fault of it as a sentence. */
export function parseKeyFile(text: string): KeyEntry[] | { problems: string[] } {
  let file: unknown
  try {
    file = JSON.parse(text)
  } catch (cause) {
    return { problems: [(cause as Error).message] }
  }
  const validate = validator()
  if (!validate(file))
    return {
      problems: (validate.errors ?? []).map(({ instancePath, message, params }) =>
        [instancePath, message, params['additionalProperty']].filter(Boolean).join(' '),
      ),
    }
  const { keys } = file
  const ids = keys.map(({ id }) => id)
  const names = keys.flatMap(({ key }) => key ?? [])
  const problems = [
    ...ids.flatMap((id) => keyIdProblem(id) ?? []),
    ...spellingProblems(ids),
    ...keys.flatMap(entryProblems),
    ...(new Set(names).size < names.length ? ['two keys have one name in key'] : []),
  ]
  return problems.length > 0 ? { problems } : keys
}

function entryProblems(entry: KeyEntry): string[] {
  const { id, sha256, key, salt, hash, scopes, grants, expires } = entry
  const problems: string[] = []
  const isMade = key !== undefined && salt !== undefined && hash !== undefined
  const isPart = [key, salt, hash].some((part) => part !== undefined)
  if (isPart !== isMade || (sha256 === undefined) !== isMade)
    problems.push(`the key of ${id} needs either sha256, or key, salt and hash`)
  if ((scopes === undefined) === (grants === undefined))
    problems.push(`the key of ${id} needs either scopes or grants`)
  for (const word of grants ?? []) {
    const grant = grantOf(word)
    if (typeof grant === 'string') problems.push(`grants of ${id}: ${grant}`)
  }
  if (expires !== undefined && Number.isNaN(Date.parse(expires)))
    problems.push(`expires of ${id}: ${expires} is no time`)
  return problems
}

/** What a key of a file without faults gives. */
export const grantsOf = ({ scopes, grants }: KeyEntry): Grant[] =>
  scopes ? [{ scopes }] : (grants ?? []).map((word) => grantOf(word) as Grant)

/** When a key ends, in epoch milliseconds; undefined for one that does not. */
export const endOf = ({ expires }: KeyEntry): number | undefined =>
  expires === undefined ? undefined : Date.parse(expires)

/**
 * A new random key of 32 bytes, and what the file keeps of it. It begins with a mark that scanners
 * of secrets can look for, and names itself, so that it is found without trying all hashes.
 */
export function newKey(): {
  text: string
  kept: Required<Pick<KeyEntry, 'key' | 'salt' | 'hash'>>
} {
  const key = randomBytes(6).toString('hex')
  const text = `plb_${key}_${randomBytes(32).toString('base64url')}`
  const salt = randomBytes(16).toString('hex')
  return { text, kept: { key, salt, hash: hmac(salt, text).toString('hex') } }
}

const hmac = (salt: string, text: string) =>
  createHmac('sha256', Buffer.from(salt, 'hex')).update(text).digest()

/** How keys are looked up. */
export type FindKey = (text: string) => KeyEntry | undefined

/** Finds the key that a caller has sent; hashes are compared in constant time. */
export function keyFinder(entries: readonly KeyEntry[]): FindKey {
  const made = new Map(entries.flatMap((entry) => (entry.key ? [[entry.key, entry]] : [])))
  const byHand = entries.flatMap((entry) =>
    entry.sha256 ? [{ entry, sha256: Buffer.from(entry.sha256, 'hex') }] : [],
  )
  return (text) => {
    const entry = made.get(/^plb_([0-9a-f]{12})_/.exec(text)?.[1] ?? '')
    if (entry?.hash && timingSafeEqual(Buffer.from(entry.hash, 'hex'), hmac(entry.salt!, text)))
      return entry
    if (byHand.length === 0) return undefined
    const sha256 = createHash('sha256').update(text).digest()
    return byHand.find((one) => timingSafeEqual(one.sha256, sha256))?.entry
  }
}

/** What names a key in commands, and in what is kept of its uses. */
export const nameOf = ({ key, sha256 = '' }: KeyEntry): string => key ?? sha256.slice(0, 12)
