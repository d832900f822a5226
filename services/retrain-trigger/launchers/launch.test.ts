import { Webhook } from 'standardwebhooks'
import { expect, test } from 'vitest'
import { requestsOf } from '../decide/alert-requests.ts'
import { firstBreak, hashOf, type AuditEntry } from '../../../lib/postgres/audit-log.ts'
import { signatureHeaders } from '../../../lib/http/outgoing/signatures.ts'

test('the official library accepts our signature, and refuses it for another body', () => {
  const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
  const body = '{"a":1}'
  const headers = signatureHeaders(secret, 'run-1', Math.floor(Date.now() / 1000), body)
  expect(new Webhook(secret).verify(body, headers)).toEqual({ a: 1 })
  expect(() => new Webhook(secret).verify('{"a":2}', headers)).toThrow()
})

test('firing alerts that name a model and a policy ask for a run, once per alert', () => {
  const alert = {
    status: 'firing',
    labels: { alertname: 'Late', model_id: 'm', plumbline_policy: 'p' },
    annotations: { summary: 'late' },
    startsAt: '2026-01-01T00:00:00Z',
    fingerprint: 'abc',
  }
  expect(
    requestsOf({
      alerts: [alert, { ...alert, status: 'resolved' }, { ...alert, labels: { model_id: 'm' } }],
    }),
  ).toEqual([
    {
      modelId: 'm',
      policy: 'p',
      name: 'Late',
      cause: 'alert:abc:2026-01-01T00:00:00Z',
      reason: 'late',
    },
  ])
})

test('a changed entry breaks the chain of the audit log', () => {
  const entries: AuditEntry[] = []
  for (let sequence = 1; sequence <= 3; sequence++) {
    const entry = {
      sequence,
      at: '2026-01-01T00:00:00.000Z',
      actor: 'a',
      action: 'x',
      subject: 's',
      detail: { b: 1, a: 2 },
      previous_hash: entries.at(-1)?.hash ?? '0'.repeat(64),
    }
    entries.push({ ...entry, hash: hashOf(entry) })
  }
  expect(firstBreak(entries)).toBeUndefined()
  expect(firstBreak([entries[0]!, { ...entries[1]!, actor: 'b' }, entries[2]!])).toBe(2)
  expect(firstBreak([entries[0]!, entries[2]!])).toBe(3)
})
