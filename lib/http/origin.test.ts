import { expect, test } from 'vitest'
import { refusalOf, type AddressedRequest } from './origin.ts'

const statusOf = (
  request: Partial<AddressedRequest>,
  configured = '127.0.0.1',
  allowed: string[] = [],
) =>
  refusalOf(
    {
      method: 'GET',
      host: '127.0.0.1:8080',
      origin: undefined,
      fetchSite: undefined,
      fetchMode: undefined,
      ...request,
    },
    configured,
    allowed,
  )?.status

test.each([
  ['127.0.0.1:8080', undefined],
  ['localhost', undefined],
  ['LOCALHOST:1', undefined],
  ['localhost.', undefined],
  ['[::1]:8080', undefined],
  ['evil.example', 421],
  ['127.0.0.1.evil.example', 421],
  ['localhost.evil.example', 421],
  ['10.0.0.1', 421],
  ['user@localhost', 421],
  ['localhost:80:80', 421],
  ['localhost/x', 421],
  ['', 421],
  [undefined, 421],
])('on loopback the Host %s', (host, status) => {
  expect(statusOf({ host })).toBe(status)
})

test.each([
  ['10.0.0.1:8080', '0.0.0.0', [], undefined],
  ['[fe80::1]', '::', [], undefined],
  ['evil.example', '0.0.0.0', [], 421],
  ['plumbline.local', 'plumbline.local', [], undefined],
  ['a.svc', '127.0.0.1', ['a.svc'], undefined],
  ['a.svc:9', '127.0.0.1', ['a.svc:8'], 421],
  ['x.a.svc', '127.0.0.1', ['*.a.svc'], undefined],
  ['xa.svc', '127.0.0.1', ['*.a.svc'], 421],
  ['any.thing', '127.0.0.1', ['*'], undefined],
])('the Host %s on %s with %j', (host, configured, allowed, status) => {
  expect(statusOf({ host }, configured, allowed)).toBe(status)
})

test.each([
  ['http://127.0.0.1:8080', [], undefined],
  ['http://127.0.0.1:3000', [], 403],
  ['http://evil.example', [], 403],
  ['http://evil.example', ['*'], 403],
  ['https://grafana.example', ['grafana.example'], undefined],
  ['null', [], 403],
  ['', [], 403],
  ['file://127.0.0.1:8080', [], 403],
])('the Origin %s with %j', (origin, allowed, status) => {
  expect(statusOf({ origin }, '127.0.0.1', allowed)).toBe(status)
})

test('a page elsewhere loads nothing of ours, and a person may follow its link', () => {
  expect(statusOf({ fetchSite: 'cross-site', fetchMode: 'no-cors' })).toBe(403)
  expect(statusOf({ fetchSite: 'same-site', fetchMode: 'no-cors' })).toBe(403)
  expect(statusOf({ fetchSite: 'cross-site', fetchMode: 'navigate' })).toBeUndefined()
  expect(statusOf({ fetchSite: 'cross-site', fetchMode: 'navigate', method: 'POST' })).toBe(403)
  expect(statusOf({ fetchSite: 'same-origin', fetchMode: 'cors' })).toBeUndefined()
})
