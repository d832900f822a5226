import { expect, test } from 'vitest'
import { awsHeaders } from './aws-signature.ts'

const scope = {
  ...{ accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' },
  ...{ sessionToken: undefined, service: 'service', region: 'us-east-1' },
}
const AT = Date.UTC(2015, 7, 30, 12, 36)

test('the request get-vanilla of Amazon’s own test suite has its signature', async () => {
  const request = { method: 'GET', url: 'https://example.amazonaws.com/', headers: {} }
  const headers = await awsHeaders({ ...request, body: undefined }, scope, AT)
  expect(headers).toEqual({
    'x-amz-date': '20150830T123600Z',
    authorization:
      'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31',
  })
})

test('another body, key or time has another signature, and a session its token', async () => {
  const post = { method: 'POST', url: 'https://example.amazonaws.com/', headers: { a: 'b' } }
  const by = async (body: string, more: object = {}, at = AT) =>
    awsHeaders({ ...post, body }, { ...scope, ...more }, at)
  const all = await Promise.all([
    ...[by('{}'), by('{ }'), by('{}', { secretAccessKey: 'x' })],
    ...[by('{}', {}, AT + 1000), by('{}', { sessionToken: 'FwoG' })],
  ])
  expect(new Set(all.map(({ authorization }) => authorization)).size).toBe(5)
  expect(all[4]!['x-amz-security-token']).toBe('FwoG')
  expect(all[0]).toMatchObject({ a: 'b' })
})
