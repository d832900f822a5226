/** Why an event is refused: one ordered list per event schema, used by every endpoint. */
import type { TObject } from 'typebox'
import { factsOf } from '../../schemas/fields.ts'

/** Why an event is refused, as callers, dead letters and metrics name it. */
export type RejectCode =
  | 'too_large'
  | 'empty'
  | 'invalid_json'
  | 'repeated_key'
  | 'missing_field'
  | 'invalid_field'
  | 'key_mismatch'
  | 'unknown_schema'
  | 'unsupported_schema'
  | 'invalid_avro'
  | 'invalid_envelope'
  | 'unstorable'
  | 'unmapped'
  | 'invalid_csv'
  | 'invalid_protobuf'
  | 'expectation_violated'
  | 'label_mismatch'

/**
 * One way to refuse an event: its code, the field at fault where there is one, and a sentence for
 * the producer.
 */
export interface Rejection {
  code: RejectCode
  field?: string
  message: string
  /**
   * The event's other faults, a sentence each, and names that were probably meant to be fields; at
   * most {@link MAX_ALSO}. Absent where there are none.
   */
  also?: readonly string[]
}

/** Sentences that a refusal has besides its first. */
export const MAX_ALSO = 10

/** The refusal as one text: its sentence, and behind it those of the other faults. */
export const refusalText = ({ message, also = [] }: Rejection): string =>
  [message, ...also].join('; ')

/** Most bytes of one event: 256 KiB. */
export const MAX_EVENT_BYTES = 262_144

const OBJECT_KINDS = new Set(['features', 'strings', 'numbers'])

/** The fields of which an event needs one: `anyOf` of the schema, each branch requiring a field. */
export const alternativesOf = (schema: TObject): string[] =>
  ((schema as { anyOf?: { required: string[] }[] }).anyOf ?? []).flatMap((one) => one.required)

/**
 * Every way to refuse an event of this schema; where several apply, the first in this order is
 * reported.
 */
export function rejectionsOf(schema: TObject): Rejection[] {
  const required = new Set<string>(schema.required ?? [])
  const alternatives = alternativesOf(schema)
  return [
    { code: 'too_large', message: `the event is larger than ${MAX_EVENT_BYTES} bytes` },
    { code: 'empty', message: 'the message has no value' },
    { code: 'invalid_json', message: 'the value is not one JSON object' },
    { code: 'repeated_key', message: 'a field is given twice' },
    {
      code: 'unknown_schema',
      message: 'the value is Avro of a schema that the registry does not have',
    },
    { code: 'unsupported_schema', message: 'the value is of a schema that is not read' },
    { code: 'invalid_avro', message: 'the value does not decode with the schema that it names' },
    {
      code: 'invalid_envelope',
      message: 'the CloudEvents envelope lacks a required attribute, or carries no JSON data',
    },
    ...Object.entries(schema.properties).flatMap(([field, property]): Rejection[] => {
      const { kind, rule } = factsOf(property)
      return [
        ...(required.has(field)
          ? [{ code: 'missing_field' as const, field, message: `${field} is required` }]
          : []),
        ...(alternatives[0] === field
          ? [
              {
                code: 'missing_field' as const,
                field,
                message: `${alternatives.join(' or ')} is required`,
              },
            ]
          : []),
        { code: 'invalid_field', field, message: `${field} ${rule}` },
        ...(OBJECT_KINDS.has(kind)
          ? [{ code: 'repeated_key' as const, field, message: `${field} gives a key twice` }]
          : []),
      ]
    }),
    { code: 'key_mismatch', message: 'the message key is not model_id/prediction_id of the value' },
  ]
}
