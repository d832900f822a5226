/** Executions of SageMaker over real HTTP: signed, looked up before a start, and refused in its own way. */
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parseAllowed } from '../../../lib/http/outgoing/address-rules.ts'
import { guardedFetch } from '../../../lib/http/outgoing/guarded-fetch.ts'
import type { LaunchOf } from '../../../schemas/launch-systems.ts'
import type { LaunchOptions } from '../../../services/retrain-trigger/launchers/job.ts'
import {
  askAfter,
  cancelJob,
  startJob,
} from '../../../services/retrain-trigger/launchers/remote-job.ts'
import type { Run } from '../../../services/retrain-trigger/queries/run-record.ts'
import { run as values } from './expected.ts'

const ARN = 'arn:aws:sagemaker:eu-west-1:1:pipeline/retrain/execution/abc'
const run = { ...values, step: null, configuration: null, dataset: null } as unknown as Run

interface Seen {
  target: string
  headers: IncomingHttpHeaders
  body: Record<string, unknown>
}

let server: Server
let seen: Seen[]
/** What is answered to one operation in place of its success. */
let refusal: { target: string; kind: string } | undefined

const ANSWERS: Record<string, object> = {
  'SageMaker.ListPipelineExecutions': { PipelineExecutionSummaries: [] },
  'SageMaker.StartPipelineExecution': { PipelineExecutionArn: ARN },
  'SageMaker.DescribePipelineExecution': { PipelineExecutionStatus: 'Executing' },
  'SageMaker.StopPipelineExecution': { PipelineExecutionArn: ARN },
}

beforeAll(async () => {
  server = createServer((request, response) => {
    let text = ''
    request.on('data', (chunk: Buffer) => (text += chunk.toString()))
    request.on('end', () => {
      const target = String(request.headers['x-amz-target'])
      const body = JSON.parse(text) as Record<string, unknown>
      seen.push({ target, headers: request.headers, body })
      if (refusal?.target === target)
        response
          .writeHead(400)
          .end(JSON.stringify({ __type: refusal.kind, message: 'as documented' }))
      else response.writeHead(200).end(JSON.stringify(ANSWERS[target]))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterAll(() => void server.close())

const launch = (): LaunchOf<'sagemaker'> => ({
  ...{ kind: 'sagemaker', region: 'eu-west-1', pipeline: 'retrain' },
  url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  credentials: {
    access_key_id: 'secret://env/ID',
    secret_access_key: 'secret://env/KEY',
    session_token: 'secret://env/SESSION',
  },
})
const options = (secrets: Record<string, string>): LaunchOptions => ({
  ledger: { postgres: { query: async () => [] } as never, now: () => Date.UTC(2026, 0, 1) },
  ...{ log: pino({ level: 'silent' }), secret: '', publicUrl: () => 'http://plumbline' },
  ...{ allowsCommands: false, random: () => 1, following: new AbortController().signal },
  environment: (name) => secrets[name],
  ...{
    fetch: guardedFetch(parseAllowed('loopback')),
    tokens: { get: async () => '', forget: () => {} },
  },
  readDataset: () => Promise.reject(new Error('no data set')),
})
const SECRETS = { ID: 'AKIDEXAMPLE', KEY: 'k3y', SESSION: 'FwoG' }
const start = (secrets: Record<string, string> = SECRETS) => {
  seen = []
  const stopping = new AbortController().signal
  return startJob(options(secrets), run, launch(), { attempt: 1, stopping })
}

test('an execution is looked up, then started with its token, each request signed', async () => {
  refusal = undefined
  expect(await start()).toEqual({ kind: 'started', job: { id: ARN, url: '' } })
  expect(seen.map(({ target }) => target)).toEqual([
    'SageMaker.ListPipelineExecutions',
    'SageMaker.StartPipelineExecution',
  ])
  expect(seen[1]!.body).toMatchObject({ PipelineName: 'retrain', ClientRequestToken: 'r-1' })
  for (const { headers } of seen) {
    expect(headers.authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/20260101\/eu-west-1\/sagemaker\/aws4_request, SignedHeaders=accept;host;x-amz-date;x-amz-security-token;x-amz-target, Signature=[0-9a-f]{64}$/,
    )
    expect(headers['x-amz-security-token']).toBe('FwoG')
    expect(headers['content-type']).toBe('application/x-amz-json-1.1')
  }
  const job = { id: ARN, url: '' }
  expect(await askAfter(options(SECRETS), run, launch(), job)).toMatchObject({ state: 'running' })
  expect(await cancelJob(options(SECRETS), run, launch(), job)).toBeUndefined()
})

test('what may pass is tried again, what may not fails with its sentence, what is gone is told', async () => {
  refusal = { target: 'SageMaker.StartPipelineExecution', kind: 'ThrottlingException' }
  expect(await start()).toMatchObject({ kind: 'failed' })
  refusal.kind = 'com.amazon.coral.service#AccessDeniedException'
  expect(await start()).toEqual({
    kind: 'refused',
    why: 'sagemaker answered 400: as documented',
  })
  const job = { id: ARN, url: '' }
  refusal = { target: 'SageMaker.DescribePipelineExecution', kind: 'ResourceNotFound' }
  expect(await askAfter(options(SECRETS), run, launch(), job)).toMatchObject({ isGone: true })
  refusal = { target: 'SageMaker.StopPipelineExecution', kind: 'ConflictException' }
  expect(await cancelJob(options(SECRETS), run, launch(), job)).toBeUndefined()
})

test('without a secret nothing is asked, and the reason names the variable alone', async () => {
  refusal = undefined
  expect(await start({ ID: 'AKIDEXAMPLE' })).toEqual({
    kind: 'refused',
    why: 'secret://env/KEY is not set',
  })
  expect(seen).toEqual([])
})
