/** Tells pages that windows were evaluated, by server-sent events. */
import { Readable } from 'node:stream'
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import type { Http } from '../../../lib/http/server.ts'
import { Problem } from '../../../lib/runtime/errors.ts'
import type { Module } from '../../../lib/runtime/modules.ts'
import { pollLoop } from '../../../lib/runtime/poll-loop.ts'
import { EventsAnswer, EventsQuery } from '../../../schemas/http/pages/live.ts'
import { answers } from '../../../schemas/http/errors.ts'
import { evaluatedSince } from '../queries/published-windows.ts'

/** Streams of one caller, and of all. */
const MAX_OF_CALLER = 12
const MAX_STREAMS = 256
/** What a reader may leave unread before its stream ends. */
const MAX_UNREAD_BYTES = 65_536
const HEARTBEAT_MS = 20_000
const LOOK_MS = 2000
/** Greatest pause while somebody listens, for windows that other processes evaluate. */
const LONGEST_LISTENED_MS = 10_000
const LONGEST_UNHEARD_MS = 600_000
/** How far back it is looked: a row is stored some time after it is computed. */
const LOOK_BACK_MS = 300_000

interface Listener {
  caller: string
  hears: (modelId: string) => boolean
  stream: Readable
  /** Nothing more is sent: its end is. */
  isEnding: boolean
}

/** Who listens, and what they were told. */
interface Live {
  listeners: Set<Listener>
  /** What was last seen of each model that was evaluated lately; undefined before the first look. */
  seen: ReadonlyMap<string, string> | undefined
}

/** What the streams are made with. */
export interface LiveParts {
  http: Http
  db: ClickHouse
  /** Epoch milliseconds. */
  now: () => number
  onError: (error: unknown) => void
}

/**
 * Adds `GET /v1/events`. Windows that this process evaluates are told at once by `wake`, those of
 * others within ten seconds; while nobody listens nothing is asked.
 */
export function liveWindows(parts: LiveParts): { module: Module; wake: () => void } {
  const live: Live = { listeners: new Set(), seen: undefined }
  const loop = pollLoop({
    name: 'live windows',
    everyMs: LOOK_MS,
    longestIdleMs: LONGEST_LISTENED_MS,
    step: async () => look(live, parts),
    onError: parts.onError,
  })
  addEvents(parts.http, live, loop.wake)
  return { module: loop.module, wake: () => void (live.listeners.size > 0 && loop.wake()) }
}

/** Reads which models were evaluated since the last look, and tells whoever listens. */
async function look(live: Live, { db, now }: LiveParts) {
  if (live.listeners.size === 0) {
    live.seen = undefined
    return { isIdle: true, longestIdleMs: LONGEST_UNHEARD_MS }
  }
  const found = await evaluatedSince(db, now() - LOOK_BACK_MS)
  const { seen } = live
  live.seen = found
  const changed = [...found].filter(([id, stamp]) => seen && seen.get(id) !== stamp)
  for (const [modelId] of changed)
    tell(live, `event: window\ndata: ${JSON.stringify({ model_id: modelId })}\n\n`, modelId)
  return { isIdle: changed.length === 0 }
}

/** Sends a message; who does not read what they are sent is left. */
function tell({ listeners }: Live, message: string, modelId?: string): void {
  for (const { stream, hears, isEnding } of listeners) {
    if (isEnding || (modelId !== undefined && !hears(modelId))) continue
    if (stream.readableLength > MAX_UNREAD_BYTES) stream.destroy()
    else stream.push(message)
  }
}

function addEvents(http: Http, live: Live, wake: () => void): void {
  const heartbeat = setInterval(() => tell(live, ': still here\n\n'), HEARTBEAT_MS)
  heartbeat.unref()
  http.addHook('preClose', async () => {
    clearInterval(heartbeat)
    for (const listener of live.listeners) end(listener)
  })
  http.get(
    '/v1/events',
    {
      config: { scope: 'read', isByModel: true },
      schema: {
        summary: 'Tells, as server-sent events, that windows of models were evaluated',
        tags: ['models'],
        querystring: EventsQuery,
        response: { ...answers({}, 429), 200: EventsAnswer },
      },
    },
    async ({ query: { model_id: id, seconds }, reach, caller, ip }, reply) => {
      const { has, require } = reach('read')
      if (id !== undefined) require(id)
      const hears = (modelId: string) => (id === undefined ? has(modelId) : modelId === id)
      const stream = listen(live, { caller: caller?.isKnown ? caller.id : ip, hears }, seconds)
      wake()
      void reply.type('text/event-stream; charset=utf-8').header('x-accel-buffering', 'no')
      return reply.send(stream as never)
    },
  )
}

/**
 * A stream that ends after some seconds, when its browser asks again, by its session of then.
 *
 * @throws {Problem} 429 where the caller, or all together, have as many as there may be
 */
function listen(live: Live, who: Pick<Listener, 'caller' | 'hears'>, seconds: number): Readable {
  const { listeners } = live
  const own = [...listeners].filter(({ caller }) => caller === who.caller).length
  if (own >= MAX_OF_CALLER || listeners.size >= MAX_STREAMS)
    throw new Problem(
      429,
      'too_many_streams',
      `at most ${MAX_OF_CALLER} streams of one caller and ${MAX_STREAMS} of all may be open`,
      { 'retry-after': '30' },
    )
  const stream = new Readable({ read() {} })
  const listener = { ...who, stream, isEnding: false }
  listeners.add(listener)
  const ending = setTimeout(() => end(listener), seconds * 1000)
  stream.once('close', () => {
    clearTimeout(ending)
    listeners.delete(listener)
  })
  stream.push('retry: 5000\n: listening\n\n')
  return stream
}

/**
 * Ends a stream, once: what is sent to one that has ended is an error of it. Who reads nothing would
 * hold their place for ever, and is left.
 */
function end(listener: Listener): void {
  if (listener.isEnding) return
  listener.isEnding = true
  const { stream } = listener
  stream.push(null)
  const left = setTimeout(() => stream.destroy(), HEARTBEAT_MS)
  left.unref()
  stream.once('close', () => clearTimeout(left))
}
