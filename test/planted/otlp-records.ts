/** Records of OTLP's JSON for tests of what they become; needs no test runner. */
import type { RawEvent } from '../../lib/events/validator.ts'
import {
  outcomesOfLogs,
  outcomesOfTraces,
  type Ignored,
  type OtlpOutcome,
} from '../../services/ingest/wire-formats/otlp.ts'
import { createValidator } from '../../lib/events/validator.ts'
import { LabelV1 } from '../../schemas/events/label.v1.ts'
import { PredictionV1 } from '../../schemas/events/prediction.v1.ts'

const validates = { predictions: createValidator(PredictionV1), labels: createValidator(LabelV1) }

/** 2026-01-01T00:00:00Z in nanoseconds. */
export const AT = '1767225600000000000'

const valueOf = (value: unknown) =>
  typeof value === 'number' ? { intValue: String(value) } : { stringValue: value }
/** Attributes of texts and integers as OTLP's JSON has them. */
export const attributesOf = (given: Record<string, unknown>) =>
  Object.entries(given).map(([key, value]) => ({ key, value: valueOf(value) }))

/** A span of OTLP's JSON that lasts 1.5 s; `more` are members besides its attributes. */
export const span = (given: Record<string, unknown>, more: object = {}) => ({
  traceId: '0af7651916cd43dd8448eb211c80319c',
  spanId: '0000000000000003',
  name: 'chat g',
  startTimeUnixNano: AT,
  endTimeUnixNano: '1767225601500000000',
  attributes: attributesOf(given),
  ...more,
})
const resource = { attributes: attributesOf({ 'service.name': 'bot' }) }
/** What all records become. */
function sorted(outcomes: Iterable<OtlpOutcome>) {
  const events = {
    predictions: [] as RawEvent[],
    labels: [] as RawEvent[],
    ignored: [] as Ignored[],
  }
  for (const outcome of outcomes)
    if (outcome.kind === 'ignored') events.ignored.push(outcome.reason)
    else events[outcome.kind].push(outcome.event)
  return events
}
/** What these spans of one service become. */
export const traces = (...spans: object[]) =>
  sorted(outcomesOfTraces({ resourceSpans: [{ resource, scopeSpans: [{ spans }] }] }))
/** What these log records of one service become. */
export const logs = (...logRecords: object[]) =>
  sorted(outcomesOfLogs({ resourceLogs: [{ resource, scopeLogs: [{ logRecords }] }] }))

/**
 * As `services/ingest/http/otlp-routes.ts` validates: the text that is stored; the refusal, ''
 * where there is none.
 */
export function told(kind: keyof typeof validates, event: RawEvent): string {
  const verdict = validates[kind].text(JSON.stringify(event))
  return verdict.ok ? '' : verdict.rejection.message
}
