/** Requests of an enemy, kept as data so that they can be replayed against any running service. */
import { gzipSync } from 'node:zlib'
import { prediction } from '../servers/processes.ts'
import { ODD } from './odd-requests.ts'
import type { Part, Step } from './steps.ts'
import type { Wire } from './sending.ts'

/** Requests in their order. */
export interface HostileCase {
  name: string
  steps: readonly Step[]
}

/** Connections that never finish what they say. */
export interface SocketCase {
  name: string
  connections: number
  /** What each connection writes, in turn; `{port}` stands for the service's. */
  texts: readonly string[]
}

const TEXT = { 'content-type': 'application/json' }
const brackets = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)

/** One half of an exchange with a model server, as KServe's logger sends it. */
const half = (part: string, id: string, body: string | readonly Part[]): Step => ({
  method: 'POST',
  path: '/v1/cloudevents',
  headers: {
    ...TEXT,
    'ce-id': id,
    'ce-source': 'http://isvc',
    'ce-type': `org.kubeflow.serving.inference.${part}`,
    'ce-specversion': '1.0',
    'ce-time': '2026-01-01T00:00:00Z',
    'ce-inferenceservicename': 'enemy',
  },
  body,
})

const exchange = (name: string, id: string, request: string, response: string): HostileCase => ({
  name,
  steps: [half('request', id, request), half('response', id, response)],
})

const posted = (path: string, body: Step['body'], more: Partial<Step> = {}): Step => ({
  method: 'POST',
  path,
  headers: TEXT,
  body,
  ...more,
})

/** The longest id that an exchange may have. */
export const LONG_ID = 'i'.repeat(200)

const HALVES: readonly HostileCase[] = [
  {
    name: 'a half with an id too long',
    steps: [half('request', 'x'.repeat(201), '{"instances":[[1]]}')],
  },
  {
    name: 'a batch of 1 500 halves that cannot be stored',
    steps: [
      posted(
        '/v1/cloudevents',
        JSON.stringify(
          Array.from({ length: 1500 }, (_, i) => ({
            specversion: '1.0',
            id: `batch-${i}`,
            source: 'x',
            type: 'org.kubeflow.serving.inference.request',
            time: '1889-01-01T00:00:00Z',
            inferenceservicename: 'enemy',
            data: { instances: [[1]] },
          })),
        ),
        { headers: { 'content-type': 'application/cloudevents-batch+json' } },
      ),
    ],
  },
]

/** Both halves of each are accepted; what becomes of them is seen later. */
const EXCHANGES: readonly HostileCase[] = [
  exchange(
    'an instance of 5 000 levels',
    'deep',
    `{"instances":[${'['.repeat(5000)}1${']'.repeat(5000)}]}`,
    '{"predictions":[1]}',
  ),
  exchange(
    'tensors of 400 000 000 rows without elements',
    'huge',
    '{"inputs":[{"name":"x","shape":[400000000,0],"data":[]}]}',
    '{"outputs":[{"name":"y","shape":[400000000,0],"data":[]}]}',
  ),
  exchange(
    'rows whose ids become too long',
    LONG_ID,
    '{"instances":[[1],[2]]}',
    '{"predictions":[0,1]}',
  ),
  exchange('halves that are null', 'null', 'null', 'null'),
  exchange('an exchange that is in order', 'after', '{"instances":[[1]]}', '{"predictions":[1]}'),
]

const AT = '1767225600000000000'
const SPANS = JSON.stringify({
  resourceSpans: [
    {
      resource: { attributes: [{ key: 'service.name', value: { stringValue: 'bot' } }] },
      scopeSpans: [
        {
          spans: [
            {
              traceId: '0af7651916cd43dd8448eb211c80319c',
              spanId: '0000000000000001',
              name: 'chat',
              startTimeUnixNano: AT,
              endTimeUnixNano: AT,
              attributes: [{ key: 'gen_ai.operation.name', value: { stringValue: 'chat' } }],
            },
          ],
        },
      ],
    },
  ],
})

const COMPRESSED: readonly HostileCase[] = [
  { name: 'compressed spans', steps: [posted('/v1/traces', SPANS, { gzip: true })] },
  {
    name: 'a compressed event',
    steps: [
      posted(
        '/v1/cloudevents',
        JSON.stringify({
          specversion: '1.0',
          id: 'compressed',
          source: 'x',
          type: 'plumbline.prediction.v1',
          data: prediction(1, { model_id: 'compressed' }),
        }),
        { gzip: true, headers: { 'content-type': 'application/cloudevents+json' } },
      ),
    ],
  },
  {
    name: 'spans in clear that say they are compressed',
    steps: [posted('/v1/traces', SPANS, { headers: { ...TEXT, 'content-encoding': 'gzip' } })],
  },
  {
    name: 'four hundred bombs of ten kilobytes at once',
    steps: [posted('/v1/predictions', [['[1,', (10 << 20) / 3]], { gzip: true, repeat: 400 })],
  },
]

const GREAT_BODIES: readonly { name: string; body: readonly Part[] }[] = [
  { name: 'ten megabytes of brackets', body: [['[', 10 << 20]] },
  {
    name: 'ten megabytes of closed brackets',
    body: [
      ['[', 5 << 20],
      [']', 5 << 20],
    ],
  },
  {
    name: 'very many deep events',
    body: [
      ['[', 1],
      [`${brackets(100)},`, 1999],
      [`${brackets(100)}]`, 1],
    ],
  },
  {
    name: 'very many empty events',
    body: [
      ['[', 1],
      ['{},', 300_000],
      ['{}]', 1],
    ],
  },
  {
    name: 'a very long name',
    body: [
      ['{"', 1],
      ['a', 9 << 20],
      ['":1}', 1],
    ],
  },
]

/** Each on its own, first to the door of predictions, then to those that read a body whole. */
export const GREAT: readonly HostileCase[] = GREAT_BODIES.map(({ name, body }) => ({
  name,
  steps: ['/v1/predictions', '/v1/traces', '/v1/alerts', '/v1/runs', '/v1/reviews/claim'].map(
    (path) => posted(path, body),
  ),
}))

/** Bodies at a door's bounds of depth and commas, and one beyond them. */
export const BOUNDS = [
  { path: '/v1/traces', depth: 64, commas: 2_000_000 },
  { path: '/v1/reviews/claim', depth: 32, commas: 100_000 },
]
export const deepAt = (path: string, levels: number): Step => posted(path, brackets(levels))
export const wideAt = (path: string, commas: number): Step =>
  posted(path, [
    ['[0', 1],
    [',0', commas],
    [']', 1],
  ])

const AT_BOUNDS: readonly HostileCase[] = BOUNDS.map(({ path, depth, commas }) => ({
  name: `${path} at and beyond its bounds`,
  steps: [
    deepAt(path, depth),
    deepAt(path, depth + 1),
    wideAt(path, commas),
    wideAt(path, commas + 1),
  ],
}))

/** Everything that is sent whole. */
export const CASES: readonly HostileCase[] = [
  ...HALVES,
  ...EXCHANGES,
  ...COMPRESSED,
  ...GREAT,
  ...AT_BOUNDS,
  ...ODD.map(({ name, step }) => ({ name, steps: [step] })),
]

export const SOCKETS: readonly SocketCase[] = [
  {
    name: 'fifteen hundred requests that are never finished',
    connections: 1500,
    texts: [
      'POST /v1/predictions HTTP/1.1\r\nhost: localhost\r\n',
      'POST /v1/predictions HTTP/1.1\r\nhost: localhost:{port}\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{',
    ],
  },
]

/** The steps of a case by its name. */
export function stepsOf(name: string): readonly Step[] {
  const found = CASES.find((one) => one.name === name)
  if (!found) throw new Error(`there is no case ${name}`)
  return found.steps
}

/** A step as it is written on the wire. */
export function wireOf({ method, path, headers = {}, body, gzip }: Step): Wire {
  const bytes =
    typeof body === 'string'
      ? Buffer.from(body)
      : Buffer.concat(body.map(([text, times]) => Buffer.alloc(text.length * times, text)))
  return gzip
    ? { method, path, headers: { ...headers, 'content-encoding': 'gzip' }, body: gzipSync(bytes) }
    : { method, path, headers, body: bytes }
}
