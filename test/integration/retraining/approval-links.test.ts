/** Links by which one person answers one run once, kept in a real control database. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { linkToken } from '../../../lib/http/links/approval-token.ts'
import { linkKeysOf } from '../../../lib/http/links/link-keys.ts'
import { type EmbeddedPostgres } from '../../../lib/postgres/port.ts'
import { testMessage } from '../../../services/alerts/decide/messages.ts'
import { approvalLink } from '../../../services/alerts/queries/approval-links.ts'
import {
  answerByLink,
  requireLink,
} from '../../../services/retrain-trigger/queries/approvals/links.ts'
import type { Ledger } from '../../../services/retrain-trigger/queries/ledger.ts'
import { recordDecision } from '../../../services/retrain-trigger/queries/decision-ledger.ts'
import { cancelRun } from '../../../services/retrain-trigger/queries/run-transitions.ts'
import { readRun } from '../../../services/retrain-trigger/queries/runs.ts'
import type { Run } from '../../../services/retrain-trigger/queries/run-record.ts'
import { migratedPostgres, temporaryDirectory } from '../../harness.ts'

const [KEY, NEXT] = ['k'.repeat(32), 'n'.repeat(32)]
let postgres: EmbeddedPostgres
let ledger: Ledger
let now = Date.UTC(2026, 0, 1)

beforeAll(async () => {
  postgres = await migratedPostgres(temporaryDirectory())
  ledger = { postgres, now: () => now }
})

let made = 0
async function run(actor = 'policy', approval: 'one' | 'two' = 'one'): Promise<Run> {
  const about = { modelId: 'm', cause: `l${made++}`, windowEnd: undefined }
  const decision = { action: 'launch', reason: 'r' } as const
  const policy = { name: 'p', approval }
  const one = await recordDecision(
    ledger,
    { ...about, policy: 'p', revision: 0, decision },
    { ...about, policy, reason: 'r', decidedAt: now, labelsKnown: 0, modelFile: '', actor },
  )
  return one!
}
/** The token of a link that a message to a person carries. */
async function sent({ run_id, approval_expires_at: expires_at }: Run, person: string, key = KEY) {
  const at = new Date(now).toISOString()
  const message = testMessage('s', { receiver: 'r', at, page: '' })
  const { told, token } = await approvalLink(
    { postgres, linkKeys: () => [key], base: () => 'https://plumbline.example', now: () => now },
    `delivery-${made++}`,
    { ...message, approval: { run_id, person, expires_at } },
  )
  expect(told.page).toBe(`https://plumbline.example/approve?run=${run_id}#${token}`)
  expect(told).not.toHaveProperty('approval')
  return token
}
const answer = (token: string, { run_id: runId }: Run, more: { keys?: string[] } = {}) =>
  answerByLink(
    ledger,
    { token, runId, keys: more.keys ?? [KEY] },
    { act: 'approve', message: 'seen' },
  )

test('a link answers its run once, as its person, and the log names the link', async () => {
  const one = await run()
  const token = await sent(one, 'ann')
  expect(await requireLink(postgres, { token, runId: one.run_id, keys: [KEY] }, new Date(now)))
    // Opening it changes nothing.
    .toMatchObject({ person: 'ann', expires_at: one.approval_expires_at })
  expect(await answer(token, one)).toMatchObject({ state: 'queued', approvals: ['ann'] })
  await expect(answer(token, one)).rejects.toMatchObject({ status: 409, code: 'link_used' })
  const [entry] = await postgres.query<{ detail: { link_id: string } }>(
    "select detail from audit_log where subject = $1 and action = 'run.approve'",
    [one.run_id],
  )
  expect(token.startsWith(`${entry!.detail.link_id}.`)).toBe(true)
})

test('of two uses at one moment one is the first', async () => {
  const one = await run('policy', 'two')
  const token = await sent(one, 'ann')
  const ends = await Promise.allSettled([answer(token, one), answer(token, one)])
  expect(ends.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
  expect((await readRun(postgres, one.run_id))!.approvals).toEqual(['ann'])
})

test('what is forged, of another run, expired or revoked is refused', async () => {
  const [one, other] = [await run(), await run()]
  const token = await sent(one, 'ann')
  const [id, mac] = token.split('.') as [string, string]
  const forged = { status: 403, code: 'link_forged' }
  for (const bad of [
    `${id}.${mac.slice(0, -2)}AA`,
    `none.${mac}`,
    id,
    '',
    `${id}.${'A'.repeat(43)}`,
    // Made with another key, for another person, and for a later end.
    linkToken(NEXT, facts(id, one, 'ann')),
    linkToken(KEY, facts(id, one, 'eve')),
    linkToken(KEY, { ...facts(id, one, 'ann'), expires_at: '2099-01-01T00:00:00.000Z' }),
  ])
    await expect(answer(bad, one)).rejects.toMatchObject(forged)
  await expect(answer(token, one, { keys: [] })).rejects.toMatchObject(forged)
  await expect(answer(token, other)).rejects.toMatchObject({ code: 'link_other_run' })
  await postgres.query("update approval_links set person = 'eve' where link_id = $1", [id])
  await expect(answer(token, one)).rejects.toMatchObject(forged)
  await postgres.query("update approval_links set person = 'ann' where link_id = $1", [id])
  now = Date.parse(one.approval_expires_at!)
  await expect(answer(token, one)).rejects.toMatchObject({ status: 410, code: 'link_expired' })
  now = Date.UTC(2026, 0, 1)
  await cancelRun(ledger, one.run_id, 'bob', 'not now')
  await expect(answer(token, one)).rejects.toMatchObject({
    ...{
      status: 410,
      code: 'link_revoked',
      message: 'the run is cancelled: there is nothing to answer',
    },
  })
})

const facts = (link_id: string, { run_id, approval_expires_at: at }: Run, person: string) => ({
  ...{ link_id, run_id, person },
  expires_at: at!,
})

test('an answer that is refused leaves the link as it was', async () => {
  const one = await run('ann', 'two')
  const [own, bobs] = [await sent(one, 'Ann'), await sent(one, 'bob')]
  await expect(answer(own, one)).rejects.toMatchObject({ code: 'own_request' })
  const [row] = await postgres.query<{ used_at: null }>(
    'select used_at from approval_links where link_id = $1',
    [own.split('.')[0]!],
  )
  expect(row!.used_at).toBeNull()
  await answer(bobs, one)
  const again = await sent(one, 'BOB')
  await expect(answer(again, one)).rejects.toMatchObject({ code: 'already_approved' })
})

test('keys are changed without a break, and the same delivery has the same link', async () => {
  const file = join(temporaryDirectory(), 'keys')
  writeFileSync(file, `${KEY}\n`)
  const keys = linkKeysOf({ PLUMBLINE_APPROVAL_LINK_KEYS_FILE: file })
  const one = await run()
  const token = await sent(one, 'ann')
  writeFileSync(file, `${NEXT}\n${KEY}\n`)
  expect(keys()).toEqual([NEXT, KEY])
  expect(await answer(token, one, { keys: [...keys()] })).toMatchObject({ approvals: ['ann'] })
  const parts = { postgres, linkKeys: keys, base: () => '', now: () => now++ }
  const message = testMessage('s', { receiver: 'r', at: '', page: '' })
  const approval = { run_id: one.run_id, person: 'ann', expires_at: null }
  const tokens = await Promise.all(
    [1, 2].map(() => approvalLink(parts, 'same', { ...message, approval })),
  )
  expect(tokens[0]!.token).toBe(tokens[1]!.token)
})

test('keys that are no keys are refused in one sentence', () => {
  const settings = { PLUMBLINE_APPROVAL_LINK_KEYS: 'short' }
  expect(() => linkKeysOf(settings)).toThrow('fewer than 32 characters')
  expect(() => linkKeysOf({ PLUMBLINE_APPROVAL_LINK_KEYS: ' , ' })).toThrow('1 to 10 keys')
  expect(() => linkKeysOf({ PLUMBLINE_APPROVAL_LINK_KEYS_FILE: '/none' })).toThrow('cannot be read')
  expect(() => linkKeysOf({ ...settings, PLUMBLINE_APPROVAL_LINK_KEYS_FILE: '/none' })).toThrow(
    'are both set',
  )
  expect(linkKeysOf({})()).toEqual([])
})
