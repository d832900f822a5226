/**
 * Consumer clients of kafkajs, each made anew when the one before it has ended: crashed, lost its
 * place in the group, or cannot reach a broker. One that was given up may linger, since kafkajs
 * waits for what it has in hand: it is fenced.
 */
import type { Consumer, Kafka } from 'kafkajs'
import { backoffMs, sleep } from '../runtime/clock.ts'
import type { ConsumerHealth } from './consumer-health.ts'
import type { KafkaNames } from './kafka-connection/names.ts'
import { refusalIn } from './kafka-connection/refused.ts'
import { messageOf } from '../runtime/errors.ts'
import type { Logger } from '../runtime/log.ts'

/** What every consumer of a process shares. */
export interface ConsumerParts {
  kafka: Kafka
  log: Logger
  sessionTimeoutMs: number
  health: ConsumerHealth
  /** Resolves once the log is connected, or the signal aborts. */
  untilConnected: (signal: AbortSignal) => Promise<void>
  /** Names the cluster; known once connected. */
  clusterId: () => string
  /** What the cluster calls our topics and groups. */
  names: KafkaNames
}

/** A client, and what belongs to it alone. */
export interface MadeClient {
  client: Consumer
  /** Resolves when the client consumes; each of its steps may hang while a broker is away. */
  begin: () => Promise<void>
  /** Gives back what else was connected; neither awaited for long nor heard when it fails. */
  end?: () => Promise<void>
}

/** A client that has shown no sign of life for this many session timeouts is replaced. */
const SILENT_SESSIONS = 3
/** After so long as a member, a failure is a new one. */
const STEADY_MS = 60_000
const DISCONNECT_MS = 3000
/**
 * So many refused logins in a row end a consumer: a broker that is starting may refuse what it
 * takes a moment later.
 */
const MAX_REFUSALS = 5
/** A crashed client is not restarted by kafkajs: a restarted one may hang. */
export const NO_RESTART = {
  initialRetryTime: 100,
  maxRetryTime: 2000,
  retries: 5,
  restartOnFailure: async () => false,
}

/**
 * Runs clients of a consumer, one after another, until the signal. A client is given up when it
 * crashes, cannot begin, or shows no sign of life for long, whatever keeps it. A fault that no new
 * client can mend (an unknown codec, say) rejects, and ends the process instead of going silent.
 *
 * @param make makes a client and connects nothing; `givenUp` aborts once nothing may be committed
 *   for it any more
 */
export async function consumeUntil(
  signal: AbortSignal,
  { group, topic }: { group: string; topic: string },
  { log, health, sessionTimeoutMs }: ConsumerParts,
  make: (givenUp: AbortSignal) => MadeClient,
): Promise<void> {
  const name = `${group} of ${topic}`
  const stopped = new Promise<void>((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
  health.begins(name)
  let failures = 0
  let refusals = 0
  while (!signal.aborted) {
    const givenUp = new AbortController()
    const made = make(givenUp.signal)
    const watch = watched(made.client, name, health, SILENT_SESSIONS * sessionTimeoutMs)
    const begun = beginning(made, givenUp.signal)
    try {
      await Promise.race([stopped, watch.ended, begun.then(() => stopped)])
    } catch (error) {
      if (!isPassing(error)) throw error
      if (watch.memberForMs() > STEADY_MS) failures = 0
      const refusal = refusalIn(error)
      refusals = refusal === undefined ? 0 : refusals + 1
      if (refusal !== undefined && refusals === MAX_REFUSALS)
        throw new Error(refusal, { cause: error })
      log.warn(
        { consumer: name, error: messageOf(error), attempt: failures },
        'kafka consumer ended, trying again',
      )
    } finally {
      watch.end()
      givenUp.abort()
      await Promise.race([disconnected(made), sleep(DISCONNECT_MS)])
    }
    await sleep(backoffMs(failures++), signal)
  }
  health.ends(name)
}

/**
 * Connects a client and lets it consume; one that was given up meanwhile disconnects as soon as it
 * can.
 */
async function beginning(made: MadeClient, givenUp: AbortSignal): Promise<void> {
  const { client } = made
  // A client that joins its group late has no other way to hear of it, and fetches before it says
  // that it lives.
  client.on(client.events.FETCH_START, () => givenUp.throwIfAborted())
  try {
    await client.connect()
    givenUp.throwIfAborted()
    await made.begin()
  } finally {
    if (givenUp.aborted) await disconnected(made)
  }
}

/** Disconnects and never rejects; may take as long as what the client has in hand. */
async function disconnected({ client, end }: MadeClient): Promise<void> {
  await Promise.allSettled([client.disconnect(), end?.()])
}

/**
 * Watches a client: `ended` rejects once it has crashed, or has neither joined its group nor sent a
 * heartbeat for
 * `patienceMs`. Fetches tell nothing: they go on for a while after the group has let the member go.
 */
function watched(client: Consumer, name: string, health: ConsumerHealth, patienceMs: number) {
  let alive = Date.now()
  let joined: number | undefined
  const isMember = () => {
    alive = Date.now()
    joined ??= alive
    health.isMember(name)
  }
  client.on(client.events.GROUP_JOIN, isMember)
  client.on(client.events.HEARTBEAT, isMember)
  let timer: NodeJS.Timeout | undefined
  const ended = new Promise<never>((_, reject) => {
    client.on(client.events.CRASH, ({ payload }) => reject(payload.error))
    timer = setInterval(() => {
      if (Date.now() - alive > patienceMs)
        reject(new Error(`no sign of life for ${Math.round(patienceMs / 1000)} s`))
    }, 1000)
  })
  ended.catch(() => {})
  return {
    ended,
    /** Time from its first place in the group to the newest sign of it. */
    memberForMs: () => (joined === undefined ? 0 : alive - joined),
    end: () => clearInterval(timer),
  }
}

/**
 * A codec that is not there, or a fault of ours, will not pass; a broker that is away will, however
 * kafkajs wraps it.
 */
function isPassing(error: unknown): boolean {
  for (let e = error; e instanceof Error; e = e.cause) {
    if (e.name === 'KafkaJSNotImplemented' || e instanceof TypeError || e instanceof ReferenceError)
      return false
  }
  return true
}
