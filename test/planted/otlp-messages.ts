/**
 * OTLP's messages of the vendored files, by a peer that knows nothing of ours; needs no test
 * runner.
 */
import { fileURLToPath } from 'node:url'
import protobuf from 'protobufjs'

/** A request as OTLP's JSON has it. */
export type OtlpRequest = Record<string, unknown>

const PROTOS = fileURLToPath(new URL('../../schemas/otlp/', import.meta.url))
const IDS = new Set(['traceId', 'spanId'])

/** The messages of a request and its answer, by `schemas/otlp`. */
export function otlpMessages() {
  const root = new protobuf.Root()
  root.resolvePath = (_origin, target) => `${PROTOS}${target}`
  const service = (signal: string) =>
    `opentelemetry/proto/collector/${signal}/v1/${signal}_service.proto`
  root.loadSync([service('trace'), service('logs')])
  const type = (name: string) => root.lookupType(`opentelemetry.proto.collector.${name}`)
  const requests = {
    traces: type('trace.v1.ExportTraceServiceRequest'),
    logs: type('logs.v1.ExportLogsServiceRequest'),
  }
  return {
    ...requests,
    tracesAnswer: type('trace.v1.ExportTraceServiceResponse'),
    logsAnswer: type('logs.v1.ExportLogsServiceResponse'),
    /** A request of OTLP's JSON as protocol buffers. */
    encode: (signal: keyof typeof requests, request: OtlpRequest): Buffer => {
      const message = requests[signal]
      return Buffer.from(message.encode(message.fromObject(withBytes(request) as object)).finish())
    },
  }
}

/** Ids are bytes there. */
function withBytes(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withBytes)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      IDS.has(name) ? Buffer.from(member as string, 'hex') : withBytes(member),
    ]),
  )
}
