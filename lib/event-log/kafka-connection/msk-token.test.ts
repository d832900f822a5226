/**
 * A token for MSK is a signed request; AWS checks it as is done here, from the secret and its own
 * words.
 */
import { createHash, createHmac } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { mskToken } from './msk-token.ts'

const REGION = 'eu-central-1'
const SECRET = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'
const SETTINGS = {
  AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
  AWS_SECRET_ACCESS_KEY: SECRET,
  AWS_SESSION_TOKEN: 'session/token+=',
}
const before = { ...process.env }
beforeAll(() => void Object.assign(process.env, SETTINGS))
afterAll(() => {
  process.env = before
})

const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest()

/** The key of a day, a region and a service. */
const signingKey = (secret: string, date: string, region: string, service: string) =>
  [region, service, 'aws4_request'].reduce(hmac, hmac(`AWS4${secret}`, date))

/**
 * The signature of a presigned GET with the header `host` alone, by the rules of AWS Signature
 * Version 4.
 */
function signatureOf(url: URL, secret: string): string {
  const parameters = [...url.searchParams].filter(([name]) => name !== 'X-Amz-Signature')
  const [, date, region, service] = url.searchParams.get('X-Amz-Credential')!.split('/')
  const encoded = (text: string) =>
    encodeURIComponent(text).replace(
      /[!'()*]/g,
      (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
    )
  const query = parameters
    // Before `User-Agent`, which is added behind the signature.
    .filter(([name]) => name !== 'User-Agent')
    .map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
    .toSorted()
    .join('&')
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
  const request = ['GET', '/', query, `host:${url.host}`, '', 'host', sha256('')].join('\n')
  const text = [
    'AWS4-HMAC-SHA256',
    url.searchParams.get('X-Amz-Date'),
    `${date}/${region}/${service}/aws4_request`,
    sha256(request),
  ].join('\n')
  return hmac(signingKey(secret, date!, region!, service!), text).toString('hex')
}

test('the key that is derived here is the one in the documentation of AWS', () => {
  // docs.aws.amazon.com, "Examples of how to derive a signing key".
  const key = signingKey('wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY', '20120215', 'us-east-1', 'iam')
  expect(key.toString('hex')).toBe(
    'f4780e2d9f65fa895f9c67b32ce1baf0b0d8a43505a000a1a9e090d414db404d',
  )
})

test('a token asks to connect, in the region, signed with the credentials of the environment', async () => {
  const begun = Date.now()
  const { value, expiresAtMs } = await mskToken(REGION)
  expect(value).toMatch(/^[A-Za-z0-9_-]+$/)
  const url = new URL(Buffer.from(value, 'base64url').toString())
  expect(url.host).toBe(`kafka.${REGION}.amazonaws.com`)
  expect(url.searchParams.get('Action')).toBe('kafka-cluster:Connect')
  expect(url.searchParams.get('X-Amz-Credential')).toMatch(
    new RegExp(`^AKIDEXAMPLE/\\d{8}/${REGION}/kafka-cluster/aws4_request$`),
  )
  expect(url.searchParams.get('X-Amz-Security-Token')).toBe(SETTINGS.AWS_SESSION_TOKEN)
  expect(url.searchParams.get('X-Amz-Signature')).toBe(signatureOf(url, SECRET))
  const seconds = Number(url.searchParams.get('X-Amz-Expires'))
  expect(expiresAtMs).toBeGreaterThanOrEqual(begun + 1000 * (seconds - 2))
  expect(expiresAtMs).toBeLessThanOrEqual(Date.now() + 1000 * seconds)
})
