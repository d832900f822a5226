/** What each reason of a dead letter asks of a message, in words. Pure. */
import type { RejectCode } from '../../../lib/events/rejections.ts'

const RULES: Readonly<Record<RejectCode, string>> = {
  too_large: 'An event has 262 144 bytes at most.',
  empty: 'A message has a value.',
  invalid_json: 'The value is one JSON object.',
  repeated_key: 'Each field of an event, and each feature, is given once.',
  missing_field: 'Every required field of the event is there.',
  invalid_field: 'Every field is of its type and within its bounds.',
  key_mismatch: 'The key of the message is model_id/prediction_id of its value.',
  unknown_schema: 'The schema that an Avro value names is in the registry.',
  unsupported_schema: 'The schema that a value names is one that is read here.',
  invalid_avro: 'An Avro value decodes with the schema that it names.',
  invalid_envelope: 'A CloudEvents envelope has its required attributes, and carries JSON.',
  unstorable: 'The event fits into the tables.',
  unmapped: 'The mapping of a source fits its messages.',
  invalid_csv: 'A line of CSV reads by RFC 4180.',
  invalid_protobuf: 'A message decodes by the schema of its source.',
  expectation_violated: 'An event meets each expectation of its model file that rejects.',
  label_mismatch: 'A label is one that its model has.',
}

/** The rule that a message broke; empty where the reason is of a wire format's own. */
export const ruleOf = (reason: string): string =>
  (RULES as Readonly<Record<string, string>>)[reason] ?? ''
