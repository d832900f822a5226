/**
 * Takes out of events what a model file says: drops fields, hashes them with the key, masks texts. A
 * second time changes nothing more, so that each place that validates an event may redact it.
 */
import { createHash } from 'node:crypto'
import type { FieldKind } from '../../../schemas/fields.ts'
import type { ModelPrivacy } from '../../../schemas/model-privacy.ts'
import { FlatRecord, perShape, type PerShape } from '../flat-record.ts'
import { columnChange, compiledRules, fieldChange, type Change } from './field-changes.ts'
import { redactedJson } from './json-body.ts'

/** The fields of an event's schema, by name. */
export type SchemaFields = ReadonlyMap<string, { kind: FieldKind }>

/** What the rules of one model make of its events. */
export interface Redactor {
  /** An event as it may be kept; the given one stays as it was. */
  event: (event: FlatRecord, fields: SchemaFields) => FlatRecord
  /** JSON of any shape, as text; '' where it is none. */
  json: (text: string) => string
  /** A text, such as a comment. */
  text: (text: string) => string
  /** An id of this field, as events have it. */
  id: (field: string, id: string) => string
  /**
   * What becomes of the values of a column of a table, by the name that events have for it; undefined
   * where the column is not to be read. A rule of one map alone (`features.name`) is one of the column.
   */
  column: (name: string) => Change | undefined
  /** Differs where the rules or the key do; nothing can be read from it. */
  fingerprint: string
  /** Whether ids that a message's key holds are hashed or dropped. */
  changesKeys: boolean
}

/** The rules of models, as validators ask for them. */
export interface Privacy {
  /** The redactor of a model; undefined: its events are kept as they come. */
  of: (modelId: string) => Redactor | undefined
  /** Redactor of events that name no model: the rules of all; undefined where no model has any. */
  ofAll: () => Redactor | undefined
}

/** No rules for any model. */
export const NO_PRIVACY: Privacy = { of: () => undefined, ofAll: () => undefined }

const KEY_IDS = ['prediction_id', 'trace_id', 'subject_id', 'label_id']

/**
 * Makes the redactor of a model.
 *
 * @param key of the hashes; undefined where no rule hashes
 */
export function createRedactor(rules: ModelPrivacy, key: Buffer | undefined): Redactor {
  const compiled = compiledRules(rules, key)
  const plans = new WeakMap<SchemaFields, PerShape<Change[]>>()
  const planOf = (fields: SchemaFields) => {
    const known = plans.get(fields)
    if (known) return known
    // The one text of a half of an exchange is a model server's JSON.
    const isHalf = fields.has('exchange_id')
    const made = perShape((names) =>
      names.map((name) =>
        isHalf && name === 'body'
          ? (body: unknown) => redactedJson(compiled, String(body))
          : fieldChange(compiled, name, fields.get(name)?.kind),
      ),
    )
    plans.set(fields, made)
    return made
  }
  return {
    event: (event, fields) => {
      const changes = planOf(fields).of(event.names)
      const values = event.values.map((value, i) =>
        value === null || value === undefined ? value : changes[i]!(value),
      )
      return new FlatRecord(event.names, values, false)
    },
    json: (text) => redactedJson(compiled, text),
    text: compiled.text,
    column: (name) => columnChange(compiled, name),
    fingerprint: createHash('sha256')
      .update(JSON.stringify([rules, rules.hash.length > 0 && compiled.hashed('fingerprint')]))
      .digest('hex'),
    id: (field, id) => (compiled.hash.has(field) ? String(compiled.hashed(id)) : id),
    changesKeys: KEY_IDS.some((name) => compiled.hash.has(name) || compiled.drop.has(name)),
  }
}
