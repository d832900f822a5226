/**
 * A local double of S3, moto, its objects in memory, on loopback. It checks the signature of every
 * request as S3 does.
 */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { ended } from './child-process.ts'
import { freePort } from './kafka.ts'

const FOLDER = fileURLToPath(new URL('../../.local/moto', import.meta.url))
const START_TIMEOUT_MS = 240_000
const ALL_OF_S3 = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: 's3:*', Resource: '*' }],
})
/** Who sets it up is not asked for a signature: nobody has a key yet. */
const UNSIGNED = 'AWS4-HMAC-SHA256 Credential=-/20260101/us-east-1/iam/aws4_request, Signature=-'

export interface LocalS3 {
  /** Address without a path. */
  endpoint: string
  /** Key of the one user there is. */
  key: { id: string; secret: string }
  stop: () => Promise<void>
}

/** Starts it with these buckets. */
export async function startS3(buckets: readonly string[]): Promise<LocalS3> {
  if (!existsSync(FOLDER))
    throw new Error(
      'moto is not installed: install Python 3 with pip and run node deploy/local/setup.mjs --tests',
    )
  const port = await freePort()
  const endpoint = `http://127.0.0.1:${port}`
  // A user, what they may, their key, and each bucket: from then on it asks for a signature.
  const unsigned = 3 + buckets.length
  const child = spawn('python3', ['-m', 'moto.server', '-H', '127.0.0.1', '-p', String(port)], {
    env: { ...process.env, PYTHONPATH: FOLDER, INITIAL_NO_AUTH_ACTION_COUNT: String(unsigned) },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let output = ''
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const stop = async () => void (await ended(child, 'SIGKILL'))
  process.once('exit', () => child.kill('SIGKILL'))
  const deadline = Date.now() + START_TIMEOUT_MS
  for (;;) {
    const isUp = await fetch(`${endpoint}/moto-api/`).then(
      ({ ok }) => ok,
      () => false,
    )
    if (isUp) return { endpoint, key: await keyOf(endpoint, buckets), stop }
    if (child.exitCode !== null || Date.now() > deadline) {
      await stop()
      throw new Error(`moto did not become ready: ${output.slice(-2000)}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

async function keyOf(endpoint: string, buckets: readonly string[]): Promise<LocalS3['key']> {
  const iam = async (fields: Record<string, string>): Promise<string> => {
    const body = new URLSearchParams({ ...fields, UserName: 'importer', Version: '2010-05-08' })
    const headers = { authorization: UNSIGNED }
    return (await fetch(endpoint, { method: 'POST', headers, body })).text()
  }
  for (const bucket of buckets) await fetch(`${endpoint}/${bucket}`, { method: 'PUT' })
  await iam({ Action: 'CreateUser' })
  await iam({ Action: 'PutUserPolicy', PolicyName: 's3', PolicyDocument: ALL_OF_S3 })
  const made = await iam({ Action: 'CreateAccessKey' })
  const of = (name: string) => new RegExp(`<${name}>([^<]+)`).exec(made)?.[1] ?? ''
  return { id: of('AccessKeyId'), secret: of('SecretAccessKey') }
}
