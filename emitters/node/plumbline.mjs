/**
 * Emits predictions and labels to Plumbline from a Node service (18.17 or newer), with no
 * dependencies.
 *
 * Made for the serving path: `predict` and `label` take a copy, return at once and never throw.
 * Events wait in a bounded queue and leave in batches in the background; when Plumbline is away
 * they are tried again, with the same ids, and when the queue is full the oldest are dropped and
 * counted. Every prediction carries its place in this process' sequence, and one that is dropped or
 * cannot be written leaves a gap there, so that Plumbline itself can tell how many were lost.
 *
 * Values that JSON does not know become what they mean: NaN and infinities are missing (null);
 * typed arrays, sets, maps and big integers are written as JSON has them.
 *
 *     import { createEmitter } from './plumbline.mjs'
 *     const plumbline = createEmitter({ url: 'http://127.0.0.1:8080' })
 *     plumbline.predict({ model_id: 'fraud', model_version: '7', score: 0.93, features: { amount: 12.5 } })
 *     await plumbline.close()
 */
import { createHmac, randomUUID } from 'node:crypto'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'

const gzipped = promisify(gzip)
const FIRST_BACKOFF_MS = 100
const LAST_BACKOFF_MS = 30_000
/** Somebody waits for what is sent, so a gateway that has come back is noticed at once. */
const FLUSHING_BACKOFF_MS = 1000
/** The longest wait that an answer can ask for. */
const MAX_ASKED_MS = 60_000

/**
 * The token by which a browser may rate one prediction at `POST /v1/feedback`: a JSON Web Token,
 * signed with HMAC-SHA256. The key stays on the server; the page gets the token.
 *
 * @param {object} claims
 * @param {string} claims.model_id
 * @param {string} claims.prediction_id
 * @param {string[]} claims.names what may be rated, such as `thumbs`; 20 at most
 * @param {number} claims.exp seconds since 1970 at which it ends
 * @param {string} key the first line of PLUMBLINE_FEEDBACK_KEY_FILE; white space around it is none
 *   of it
 * @throws {RangeError} for a key of fewer than 32 bytes, which the service does not take
 */
export function feedbackToken({ model_id, prediction_id, names, exp }, key) {
  const own = Buffer.from(key.trim())
  if (own.length < 32) throw new RangeError(`the key has ${own.length} bytes: 32 are the least`)
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const claims = { model_id, prediction_id, names, aud: 'plumbline-feedback', exp }
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`
  return `${signed}.${createHmac('sha256', own).update(signed).digest('base64url')}`
}

/**
 * @typedef {object} EmitterOptions
 * @property {string} url where ingest (and feedback) answer
 * @property {string} [feedbackUrl] where labels go, when feedback runs elsewhere
 * @property {string} [key] API key
 * @property {number} [maxQueueBytes] events waiting beyond this are dropped, the oldest first (16
 *   MiB)
 * @property {number} [batchSize] most events of one request (500)
 * @property {number} [batchBytes] most bytes of one request before compression (1 MiB)
 * @property {number} [flushIntervalMs] longest wait for company (1000)
 * @property {number} [timeoutMs] of one request (10 000)
 * @property {(message: string) => void} [onError] told of drops and refusals, at most once a
 *   second; must not throw
 */

/** @param {EmitterOptions} options */
export function createEmitter(options) {
  const settings = {
    maxQueueBytes: 16 << 20,
    batchSize: 500,
    batchBytes: 1 << 20,
    flushIntervalMs: 1000,
    timeoutMs: 10_000,
    onError: () => {},
    ...options,
  }
  const stats = { emitted: 0, accepted: 0, rejected: 0, dropped: 0, invalid: 0, retries: 0 }
  const share = { waitingBytes: 0 }
  const producerId = randomUUID()
  /** @type {Map<string, number>} */
  const sequences = new Map()
  const lanes = {
    predictions: lane('/v1/predictions', settings.url),
    labels: lane('/v1/labels', settings.feedbackUrl ?? settings.url),
  }
  let closed = false
  let toldAt = 0

  const onExit = () => void flush()
  process.once('beforeExit', onExit)

  return {
    /**
     * A prediction; `prediction_id` and `predicted_at` are given where they are missing. Returns
     * the id.
     */
    predict(event) {
      const id = event?.prediction_id ?? randomUUID()
      enqueue(lanes.predictions, () => ({
        ...event,
        prediction_id: id,
        predicted_at: event.predicted_at ?? new Date().toISOString(),
        producer: { id: producerId, sequence: nextSequence(event.model_id) },
      }))
      return id
    },
    /**
     * A label; `label_id`, `labelled_at` and `source` (user_feedback) are given where they are
     * missing.
     */
    label(event) {
      enqueue(lanes.labels, () => ({
        source: 'user_feedback',
        ...event,
        label_id: event.label_id ?? randomUUID(),
        labelled_at: event.labelled_at ?? new Date().toISOString(),
      }))
    },
    flush,
    /**
     * Sends what waits, for at most `timeoutMs` (30 000), and stops. What could not be sent is
     * counted as dropped.
     */
    async close({ timeoutMs = 30_000 } = {}) {
      closed = true
      process.off('beforeExit', onExit)
      await flush({ timeoutMs })
      await Promise.all(Object.values(lanes).map((one) => one.stop()))
    },
    /**
     * Counts since the start. emitted = accepted + rejected + dropped + waiting, where `waiting` is
     * the queue now.
     */
    stats: () => ({
      ...stats,
      waiting: lanes.predictions.waiting() + lanes.labels.waiting(),
      waitingBytes: share.waitingBytes,
    }),
  }

  function nextSequence(modelId) {
    const sequence = sequences.get(modelId) ?? 0
    sequences.set(modelId, sequence + 1)
    return sequence
  }

  function enqueue(into, make) {
    try {
      if (closed) {
        stats.dropped++
        return
      }
      const text = JSON.stringify(make(), plain)
      stats.emitted++
      into.push(text)
    } catch (error) {
      stats.invalid++
      tell(`an event cannot be written as JSON: ${error?.message}`)
    }
  }

  /**
   * Sends what waits, for at most `timeoutMs`; a gateway that is away is tried at least once a
   * second meanwhile.
   */
  async function flush({ timeoutMs = 30_000 } = {}) {
    const deadline = Date.now() + timeoutMs
    await Promise.all(Object.values(lanes).map((one) => one.drain(deadline)))
  }

  function tell(message) {
    const now = Date.now()
    if (now - toldAt < 1000) return
    toldAt = now
    try {
      settings.onError(message)
    } catch {
      // Told or not: serving goes on.
    }
  }

  /** One path of the API: its queue, and the one request that is under way. */
  function lane(path, base) {
    /** @type {{ text: string, bytes: number }[]} */
    let queue = []
    let timer
    let sending
    let inFlight = 0
    let failures = 0
    /** Time at which a flush may try again what failed, in milliseconds of the wall clock. */
    let flushableAt = 0
    const closing = new AbortController()
    let wake = () => {}
    let stopped = false

    const schedule = (ms) => {
      if (timer !== undefined || stopped) return
      timer = setTimeout(() => {
        timer = undefined
        void send()
      }, ms)
      // A service must be able to end while events wait: `beforeExit` and `close` send them.
      timer.unref?.()
    }

    function push(text) {
      const bytes = Buffer.byteLength(text)
      queue.push({ text, bytes })
      share.waitingBytes += bytes
      while (share.waitingBytes > settings.maxQueueBytes && queue.length > 0) {
        share.waitingBytes -= queue.shift().bytes
        stats.dropped++
        tell('the queue is full: the oldest events are dropped')
      }
      if (queue.length >= settings.batchSize && failures === 0) void send()
      else schedule(settings.flushIntervalMs)
    }

    function takeBatch(most) {
      let bytes = 0
      let count = 0
      while (
        count < Math.min(most, queue.length) &&
        (count === 0 || bytes + queue[count].bytes <= settings.batchBytes)
      )
        bytes += queue[count++].bytes
      const batch = queue.slice(0, count)
      queue = queue.slice(count)
      return batch
    }

    /**
     * Sends batches until the queue is empty or a try fails; one at a time, so that order is kept.
     */
    function send() {
      sending ??= (async () => {
        while (queue.length > 0 && !stopped) {
          const batch = takeBatch(settings.batchSize)
          inFlight = batch.length
          const wait = await deliver(batch)
          inFlight = 0
          if (wait === undefined) continue
          // Back to the front, unless newer events have filled the queue meanwhile.
          queue = [...batch, ...queue]
          failures++
          stats.retries++
          schedule(wait)
          return
        }
      })().finally(() => {
        sending = undefined
        wake()
      })
      return sending
    }

    /**
     * @returns how long to wait before the same batch is tried again; undefined when it is done
     * with
     */
    async function deliver(batch) {
      const done = () => {
        failures = 0
        for (const { bytes } of batch) share.waitingBytes -= bytes
      }
      let response
      try {
        response = await fetch(`${base}${path}`, {
          method: 'POST',
          headers: {
            'content-type': 'application/x-ndjson',
            'content-encoding': 'gzip',
            ...(settings.key && { authorization: `Bearer ${settings.key}` }),
          },
          body: await gzipped(batch.map(({ text }) => text).join('\n')),
          signal: AbortSignal.any([AbortSignal.timeout(settings.timeoutMs), closing.signal]),
        })
        const answer = await response.json().catch(() => ({}))
        if (response.ok || response.status === 400) {
          const refused = answer.rejected ?? []
          stats.accepted += answer.accepted ?? (response.ok ? batch.length : 0)
          stats.rejected += response.ok ? refused.length : batch.length
          if (!response.ok || refused.length > 0)
            tell(`refused: ${reasonOf(refused[0]) ?? answer.detail}`)
          else if (answer.misspelled?.length > 0) tell(misspelledText(answer.misspelled[0]))
          return done()
        }
        if (response.status === 413 && batch.length > 1) {
          settings.batchSize = Math.max(1, Math.floor(batch.length / 2))
          return 0
        }
        if (response.status === 413) {
          stats.rejected++
          tell('an event is larger than Plumbline takes')
          return done()
        }
        tell(`Plumbline answered ${response.status}: ${answer.detail ?? ''}`)
      } catch (error) {
        tell(`Plumbline cannot be reached: ${error?.cause?.message ?? error?.message}`)
      }
      const asked = Math.min(Number(response?.headers.get('retry-after')) * 1000, MAX_ASKED_MS)
      const backoff = Math.min(LAST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** failures)
      const wait = Math.max(asked || 0, backoff * (0.5 + Math.random() / 2))
      flushableAt = Date.now() + Math.max(asked || 0, Math.min(wait, FLUSHING_BACKOFF_MS))
      return wait
    }

    async function drain(deadline) {
      while ((queue.length > 0 || sending) && Date.now() < deadline) {
        if (!sending && (failures === 0 || Date.now() >= flushableAt)) {
          clearTimeout(timer)
          timer = undefined
          void send()
        }
        await new Promise((resolve) => {
          wake = resolve
          setTimeout(resolve, 50)
        })
      }
    }

    return {
      push,
      drain,
      waiting: () => queue.length + inFlight,
      /**
       * Gives up the request under way: whether its events arrived is not known, so they count as
       * dropped.
       */
      stop: async () => {
        stopped = true
        clearTimeout(timer)
        closing.abort()
        await sending
        stats.dropped += queue.length
        for (const { bytes } of queue) share.waitingBytes -= bytes
        queue = []
      },
    }
  }
}

/**
 * A replacer for `JSON.stringify`, which writes NaN and infinities as null itself. A big integer
 * beyond the safe ones keeps its digits as text.
 */
function plain(_key, value) {
  if (typeof value === 'bigint') {
    const number = Number(value)
    return Number.isSafeInteger(number) ? number : String(value)
  }
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) return Array.from(value)
  if (value instanceof Set) return [...value]
  if (value instanceof Map) return Object.fromEntries(value)
  return value
}

const reasonOf = (refused) => refused && [refused.message, ...(refused.also ?? [])].join('; ')

const misspelledText = ({ field, meant }) => `${field} is not read; did you mean ${meant}?`
