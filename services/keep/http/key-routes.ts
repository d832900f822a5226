/** The routes by which an admin lists, makes, rotates and revokes API keys. */
import { resolve } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { actorOf } from '../../../lib/http/callers.ts'
import { readKeyFile } from '../../../lib/http/keys/key-callers.ts'
import {
  changeKeyFile,
  createKey,
  KeyChangeRefused,
  revokeKey,
  rotateKey,
  type KeyChange,
} from '../../../lib/http/keys/key-changes.ts'
import { endOf, nameOf, type KeyEntry } from '../../../lib/http/keys/key-file.ts'
import { readUses, type Uses } from '../../../lib/http/keys/key-uses.ts'
import type { FastifyRequest, Http } from '../../../lib/http/server.ts'
import { appendAudit } from '../../../lib/postgres/audit-log.ts'
import { noticeChanges, rememberStates } from '../../../lib/postgres/audit-seen.ts'
import type { Postgres } from '../../../lib/postgres/port.ts'
import { messageOf, Problem } from '../../../lib/runtime/errors.ts'
import { answers, answersToBody } from '../../../schemas/http/errors.ts'
import { keyStates } from '../loop/enter-acts.ts'
import {
  KeyPath,
  KeysAnswer,
  MadeKeyAnswer,
  NewKeyBody,
  RevokedKeyAnswer,
  RotateKeyBody,
} from '../../../schemas/http/keys.ts'

const config = { scope: 'admin' as const }
const tags = ['service']

/** What the routes need. */
export interface KeyRoutesOptions {
  /** `PLUMBLINE_AUTH_FILE`; undefined where there is none. */
  keyFile: string | undefined
  /** Where last uses are kept. */
  dataDir: string
  postgres: Postgres
  now: () => number
}

/** Adds `GET` and `POST /v1/keys`, `POST /v1/keys/{key}/rotate` and `DELETE /v1/keys/{key}`. */
export function keyRoutes(http: Http, options: KeyRoutesOptions): void {
  const told = (entry: KeyEntry) => shown(entry, readUses(resolve(options.dataDir)), options.now())
  http.get(
    '/v1/keys',
    {
      config,
      schema: {
        summary: 'API keys, without their secrets',
        tags,
        response: answers({ 200: KeysAnswer }, 409),
      },
    },
    async () => ({ keys: readKeyFile(fileOf(options)).map(told) }),
  )
  http.post(
    '/v1/keys',
    {
      config,
      schema: {
        summary: 'Makes an API key, whose secret is told once',
        tags,
        body: NewKeyBody,
        response: answersToBody({ 201: MadeKeyAnswer }, 409),
      },
    },
    async (request, reply) => {
      const { id, grants, expires } = request.body
      const now = options.now()
      const { made } = await audited(options, request, 'key.created', (entries) =>
        createKey(entries, { id, grants }, { expires, now }),
      )
      void reply.code(201)
      return { secret: made.text, made: told(made.entry), replaced: null }
    },
  )
  changeRoutes(http, options, told)
}

function changeRoutes(
  http: Http,
  options: KeyRoutesOptions,
  told: (entry: KeyEntry) => ReturnType<typeof shown>,
): void {
  http.post(
    '/v1/keys/:key/rotate',
    {
      config,
      schema: {
        summary: 'Makes a key that follows another, which stays good for a while',
        tags,
        params: KeyPath,
        body: RotateKeyBody,
        response: answersToBody({ 201: MadeKeyAnswer }, 404, 409),
      },
    },
    async (request, reply) => {
      const { overlap, expires } = request.body
      const { key } = request.params
      const now = options.now()
      const { made, old } = await audited(options, request, 'key.rotated', (entries) =>
        rotateKey(entries, { key, overlap, expires, now }),
      )
      void reply.code(201)
      return { secret: made.text, made: told(made.entry), replaced: told(old) }
    },
  )
  http.delete(
    '/v1/keys/:key',
    {
      config,
      schema: {
        summary: 'Revokes a key, and the sessions that it began',
        tags,
        params: KeyPath,
        response: answers({ 200: RevokedKeyAnswer }, 404, 409),
      },
    },
    async (request) => {
      const { old } = await audited(options, request, 'key.revoked', (entries) =>
        revokeKey(entries, request.params.key),
      )
      return { revoked: told(old) }
    },
  )
}

const mayOf = ({ scopes, grants }: KeyEntry): string[] => [...(scopes ?? grants ?? [])]

function shown(entry: KeyEntry, uses: Uses, now: number) {
  const end = endOf(entry)
  const used = uses.get(nameOf(entry))
  return {
    key: nameOf(entry),
    id: entry.id,
    may: mayOf(entry),
    created_at: entry.created ?? null,
    expires_at: entry.expires ?? null,
    has_ended: end !== undefined && end <= now,
    last_used_at: used === undefined ? null : new Date(used).toISOString(),
  }
}

/** @throws {Problem} 409 where callers are not known by keys */
function fileOf({ keyFile }: KeyRoutesOptions): string {
  if (keyFile === undefined)
    throw new Problem(409, 'no_key_file', 'PLUMBLINE_AUTH_FILE names no file: there are no keys')
  return resolve(keyFile)
}

/**
 * Changes the file and the audit log together. The file is written last, since it cannot be rolled
 * back: what the log does not take changes no key.
 *
 * @throws {Problem} for what cannot be done
 */
async function audited<Change extends KeyChange>(
  options: KeyRoutesOptions,
  { caller }: FastifyRequest,
  action: string,
  change: (entries: readonly KeyEntry[]) => Change,
): Promise<Change> {
  const file = fileOf(options)
  const actor = actorOf(caller, undefined)
  return options.postgres.transaction(async (tx) => {
    const before = refusing(() => readKeyFile(file))
    const changed = refusing(() => change(before))
    const at = new Date(options.now())
    // What was changed in the file by hand before is told of before.
    await noticeChanges(tx, { kind: 'key', actor: 'key files', at }, () => keyStates(before))
    await appendAudit(tx, { at, actor, action, ...entryOf(changed) })
    await rememberStates(tx, 'key', keyStates(changed.entries))
    return refusing(() =>
      changeKeyFile(file, (now) => {
        if (isDeepStrictEqual(now, before)) return changed
        throw new Error('somebody else has changed the key file: try again')
      }),
    )
  })
}

function entryOf({ made, old }: KeyChange) {
  const about = made?.entry ?? old!
  return {
    subject: nameOf(about),
    detail: {
      id: about.id,
      may: mayOf(about),
      expires: about.expires ?? null,
      ...(made && old && { replaces: nameOf(old), until: old.expires ?? null }),
    },
  }
}

const STATUS = { no_such_key: 404, key_ended: 409, invalid: 400 } as const

/** A file that is mounted by itself cannot be replaced, which is EBUSY. */
const NOT_WRITABLE = new Set(['EROFS', 'EACCES', 'EPERM', 'EBUSY'])

function refusing<T>(act: () => T): T {
  try {
    return act()
  } catch (error) {
    if (error instanceof KeyChangeRefused)
      throw new Problem(STATUS[error.reason], codeOf(error.reason), error.message)
    const { code } = error as NodeJS.ErrnoException
    if (code !== undefined && NOT_WRITABLE.has(code))
      throw new Problem(
        409,
        'key_file_read_only',
        'this process may not write the key file: change it where it can be written, with npm run keys',
      )
    throw new Problem(503, 'key_file_busy', messageOf(error))
  }
}

const codeOf = (reason: KeyChangeRefused['reason']) =>
  reason === 'invalid' ? 'invalid_request' : reason
