/** Events on their way into requests: as bytes at once, so that no text of theirs is kept. Pure. */

/** Bodies of one type of event; each event in them is followed by a separator. */
export interface RequestBody {
  bytes: Buffer
  length: number
  /** Behind each event and its separator. */
  ends: number[]
  /** The row that each event came from. */
  rows: number[]
}

/** Part of a body that one request has, and the places of its events in the whole. */
export interface Request {
  body: Buffer
  from: number
  to: number
}

const FIRST_BYTES = 1 << 16
/** Bytes of UTF-8 that a UTF-16 unit has at most. */
const MOST_BYTES = 3

/** A body without events. */
export const emptyBody = (): RequestBody => ({
  bytes: Buffer.allocUnsafe(FIRST_BYTES),
  length: 0,
  ends: [],
  rows: [],
})

/** Adds an event. @returns its bytes, separator included */
export function addEvent(
  body: RequestBody,
  json: string,
  { row, separator }: { row: number; separator: string },
): number {
  const needed = body.length + json.length * MOST_BYTES + separator.length
  if (needed > body.bytes.length) {
    const larger = Buffer.allocUnsafe(Math.max(needed, 2 * body.bytes.length))
    body.bytes.copy(larger, 0, 0, body.length)
    body.bytes = larger
  }
  const before = body.length
  body.length += body.bytes.write(json, before)
  body.length += body.bytes.write(separator, body.length)
  body.ends.push(body.length)
  body.rows.push(row)
  return body.length - before
}

/** Cuts a body into requests: one message may have become more than a request holds. */
export function requestsOf(
  { bytes, ends }: RequestBody,
  { maxEvents, maxBytes }: { maxEvents: number; maxBytes: number },
): Request[] {
  const requests: Request[] = []
  let from = 0
  const startOf = (event: number) => (event === 0 ? 0 : ends[event - 1]!)
  const cut = (to: number) => {
    requests.push({ body: bytes.subarray(startOf(from), ends[to - 1]), from, to })
    from = to
  }
  for (let i = 1; i < ends.length; i++)
    if (ends[i]! - startOf(from) > maxBytes || i - from === maxEvents) cut(i)
  if (from < ends.length) cut(ends.length)
  return requests
}
