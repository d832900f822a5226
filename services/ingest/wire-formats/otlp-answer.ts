/**
 * What OTLP/HTTP answers, in the encoding of its request: partial success with counts, and
 * `google.rpc.Status`.
 */
import protobuf from 'protobufjs/minimal.js'
import type { Ignored } from './otlp.ts'

/** What became of the records of one request. */
export interface Tally {
  /** Records that were refused, by the sentence that says why. */
  refused: Map<string, number>
  ignored: Map<Ignored, number>
}

/** The answer to an export; `partialSuccess` where something was refused or ignored. */
export interface ExportAnswer<Counter extends string = string> {
  partialSuccess?: { errorMessage: string } & Record<Counter, string>
}

/** `google.rpc.Status`. */
export interface RpcStatus {
  code: number
  message: string
}

/** Sentences that are told of one request. */
const MAX_REASONS = 5

const IGNORED: Record<Ignored, string> = {
  no_genai_operation: 'without GenAI attributes',
  no_model_call: 'of another kind than a call of a model, an agent or a tool',
}

/**
 * The answer to an export. What is ignored is no fault and is not counted as rejected: it is told
 * in the message, beside the count 0 where nothing was refused, as OTLP does for warnings.
 *
 * @param counter the name of the count, such as `rejectedSpans`
 * @param record what one of its records is called, such as `span`
 */
export function exportAnswer<Counter extends string>(
  { refused, ignored }: Tally,
  counter: Counter,
  record: string,
): ExportAnswer<Counter> {
  const refusals = total(refused)
  const told = [
    sentence(refusals, record, ' refused', [...refused]),
    sentence(
      total(ignored),
      record,
      ' ignored as no model call',
      [...ignored].map(([reason, count]) => [IGNORED[reason], count]),
    ),
  ].filter((part) => part !== '')
  if (told.length === 0) return {}
  return {
    partialSuccess: { [counter]: String(refusals), errorMessage: told.join('; ') } as {
      errorMessage: string
    } & Record<Counter, string>,
  }
}

/** Such as `3 spans refused: 2 predicted_at is required, 1 model_id is required`. */
function sentence(
  count: number,
  record: string,
  fate: string,
  reasons: readonly (readonly [string, number])[],
): string {
  if (count === 0) return ''
  const most = reasons.toSorted(([, one], [, other]) => other - one)
  const told = most.slice(0, MAX_REASONS).map(([reason, times]) => `${times} ${reason}`)
  if (most.length > MAX_REASONS) told.push('and others')
  return `${count} ${record}${count === 1 ? '' : 's'}${fate}: ${told.join(', ')}`
}

const total = (counts: ReadonlyMap<string, number>) =>
  [...counts.values()].reduce((sum, count) => sum + count, 0)

const DELIMITED = 2
const tag = (field: number, wireType: number) => (field << 3) | wireType

/**
 * `ExportTraceServiceResponse` and `ExportLogsServiceResponse`, which have the same numbers, as
 * protocol buffers.
 */
export function encodedAnswer({ partialSuccess }: ExportAnswer, counter: string): Buffer {
  const writer = protobuf.Writer.create()
  if (partialSuccess) {
    writer.uint32(tag(1, DELIMITED)).fork()
    writer.uint32(tag(1, 0)).int64(Number(partialSuccess[counter]))
    writer.uint32(tag(2, DELIMITED)).string(partialSuccess.errorMessage)
    writer.ldelim()
  }
  return Buffer.from(writer.finish())
}

/** `google.rpc.Status` as protocol buffers. */
export function encodedStatus({ code, message }: RpcStatus): Buffer {
  const writer = protobuf.Writer.create()
  writer.uint32(tag(1, 0)).int32(code)
  writer.uint32(tag(2, DELIMITED)).string(message)
  return Buffer.from(writer.finish())
}

/**
 * Codes of gRPC by HTTP status:
 * https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto
 */
const RPC_CODES: Readonly<Record<number, number>> = {
  401: 16,
  403: 7,
  404: 5,
  429: 8,
  500: 13,
  503: 14,
}
const INVALID_ARGUMENT = 3

/** The status of a request that was not served, by its HTTP status. */
export const statusOf = (httpStatus: number, message: string): RpcStatus => ({
  code: RPC_CODES[httpStatus] ?? INVALID_ARGUMENT,
  message,
})
