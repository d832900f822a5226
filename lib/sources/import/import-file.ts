/**
 * Imports one file through a source: its messages become events, which a running Plumbline takes.
 *
 * Exactly once: a position is kept once everything before it was taken, and goes on from there; what
 * was taken behind it before a crash is sent again, and found by its ids.
 */
import type { FileOrigin } from '../../clickhouse/file-rows.ts'
import type { FlatRecord } from '../../events/flat-record.ts'
import { messageOf } from '../../runtime/errors.ts'
import { compileSource, type SourceEventType } from '../mapping.ts'
import type { Source } from '../source-files.ts'
import { jsonWriter, type WriteJson } from './event-json.ts'
import { contentNameOf, isUnchanged, modifiedMsOf, nameOf } from './file-origin.ts'
import type { Positions } from './positions.ts'
import { fileMessages, type FileMessage } from './rows.ts'
import { addEvent, emptyBody, requestsOf, type RequestBody } from './request-bodies.ts'
import { ImportEnded, separatorOf, type Send } from './send.ts'

/** What an import has done so far, over all of its files. */
export interface ImportCounts {
  rows: number
  accepted: Map<SourceEventType, number>
  /** Messages that filters left out, by why. */
  filtered: Map<string, number>
  refused: number
}

/** What importing a file needs. */
export interface FileImport {
  source: Source
  send: Send
  positions: Positions
  counts: ImportCounts
  /** Told of each message or event that is refused. */
  refuse: (at: { file: string; row: number }, reason: string) => void
  /** Told whenever a position was kept. */
  progressed: () => void
}

/** Makes counts of nothing. */
export const noCounts = (): ImportCounts => ({
  rows: 0,
  accepted: new Map(),
  filtered: new Map(),
  refused: 0,
})

/** What one request holds at most: events, and bytes of them, below the default limit of a body. */
const MAX_EVENTS = 10_000
const MAX_BYTES = 6 << 20
/** Parts that are on their way at the same time: what waits is stored together. */
const PARTS_AT_ONCE = 4

const LIMITS = { maxEvents: MAX_EVENTS, maxBytes: MAX_BYTES }

/** Events of some messages of a file, and the row after the last of them. */
interface Part {
  events: Map<SourceEventType, RequestBody>
  bytes: number
  count: number
  end: number
}

const emptyPart = (end: number): Part => ({ events: new Map(), bytes: 0, count: 0, end })

/**
 * Imports a file, from where an earlier import of the same content has come.
 *
 * @returns false where it was imported whole before
 * @throws {ImportEnded} with the sentence why it cannot go on; what was taken stays taken
 */
export async function importFile(from: FileOrigin, parts: FileImport): Promise<boolean> {
  const { source, positions, counts, progressed } = parts
  const file = nameOf(from)
  const content = await contentNameOf(from)
  const before = positions.of(content)
  if (before?.isDone) return false
  const underway: Promise<Part>[] = []
  const settle = async (most: number) => {
    while (underway.length > most) {
      const { end } = await underway.shift()!
      positions.keep(content, { file, rows: end, isDone: false })
      progressed()
    }
  }
  const gather = gatherer(from, before?.rows ?? 0, parts)
  let fault: unknown
  try {
    for await (const messages of fileMessages(from, source, before?.rows ?? 0)) {
      for (const message of messages) {
        const full = gather.take(message)
        counts.rows++
        if (!full) continue
        underway.push(watched(sendPart(full, file, parts)))
        await settle(PARTS_AT_ONCE - 1)
      }
    }
  } catch (error) {
    if (error instanceof ImportEnded) throw error
    fault = error
  }
  // What lies before the place that cannot be read is sent all the same.
  const rest = gather.rest()
  underway.push(watched(sendPart(rest, file, parts)))
  await settle(0)
  if (fault !== undefined) throw new ImportEnded(`${file}: ${messageOf(fault)}`)
  if (!(await isUnchanged(from)))
    throw new ImportEnded(`${file} was replaced while it was read: what it held before was taken`)
  positions.keep(content, { file, rows: rest.end, isDone: true })
  progressed()
  return true
}

/** A rejection is heard when its turn comes. */
function watched<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {})
  return promise
}

/** Gathers the events of a file's messages into parts, which it gives when they are full. */
function gatherer(origin: FileOrigin, from: number, parts: FileImport) {
  const { source, counts, refuse } = parts
  const file = nameOf(origin)
  const { map } = compileSource(source.file)
  const meta: Record<string, unknown> = { file, row: 0, modified: modifiedMsOf(origin) }
  const write = jsonWriter()
  let part = emptyPart(from)
  let row = from
  return {
    take: ({ decoded, bytes }: FileMessage): Part | undefined => {
      row++
      meta['row'] = row
      part.end = row
      if ('code' in decoded) {
        counts.refused++
        refuse({ file, row }, decoded.text)
        return undefined
      }
      const { results, filtered } = map({ body: decoded.value, meta, bytes })
      if (filtered !== undefined)
        counts.filtered.set(filtered, (counts.filtered.get(filtered) ?? 0) + 1)
      for (const result of results) {
        if ('fault' in result) {
          counts.refused++
          refuse({ file, row }, result.fault)
        } else add(part, row, result, write)
      }
      if (part.count < MAX_EVENTS && part.bytes < MAX_BYTES) return undefined
      const full = part
      part = emptyPart(row)
      return full
    },
    rest: () => part,
  }
}

function add(
  part: Part,
  row: number,
  { type, event }: { type: SourceEventType; event: FlatRecord },
  write: WriteJson,
) {
  let of = part.events.get(type)
  if (!of) part.events.set(type, (of = emptyBody()))
  const json = type === 'inference' ? cloudEventOf(event) : write(event)
  part.bytes += addEvent(of, json, { row, separator: separatorOf(type) })
  part.count++
}

/** Half of an exchange as model servers log it: ingest pairs it with the other one. */
function cloudEventOf(half: FlatRecord): string {
  const text = (name: string) => (half.get(name) as string | undefined) ?? ''
  return JSON.stringify({
    specversion: '1.0',
    id: text('exchange_id'),
    source: 'urn:plumbline:import',
    type: `plumbline.inference.${text('part')}`,
    time: text('exchanged_at'),
    modelid: text('model_id'),
    ...(text('model_version') !== '' && { endpoint: text('model_version') }),
    datacontenttype: 'text/plain',
    data: text('body'),
  })
}

async function sendPart(
  part: Part,
  file: string,
  { send, counts, refuse }: FileImport,
): Promise<Part> {
  for (const [type, body] of part.events) {
    for (const { body: bytes, from } of requestsOf(body, LIMITS)) {
      const { accepted, refused } = await send(type, bytes)
      counts.accepted.set(type, (counts.accepted.get(type) ?? 0) + accepted)
      counts.refused += refused.length
      for (const { index, message } of refused)
        refuse({ file, row: body.rows[from + index] ?? 0 }, message)
    }
  }
  return part
}
