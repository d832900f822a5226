/** Rules of the texts that people and programs send along: what every store and every log line can hold. */
import { Problem } from './errors.ts'

/**
 * Patterns of JSON Schema (TypeBox: `Type.String({ pattern })`), which Ajv reads with the flag `u`. Control characters are
 * refused, and halves of a surrogate pair: PostgreSQL holds no NUL and no such half, and terminals act on the rest.
 */
export const TEXT_PATTERN =
  '^[^\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u009f\\ud800-\\udfff]*$'
/** The same on one line: names, ids and labels. */
export const LINE_PATTERN = '^[^\\u0000-\\u001f\\u007f-\\u009f\\ud800-\\udfff]*$'

/** Sentences that follow the name of a field. */
export const TEXT_RULE =
  'must not hold control characters (tab and line breaks may be) or half a surrogate pair'
export const LINE_RULE = 'must not hold control characters, line breaks or half a surrogate pair'

const text = new RegExp(TEXT_PATTERN, 'u')
const line = new RegExp(LINE_PATTERN, 'u')

/** Whether a text of several lines can be stored and shown. */
export const isPrintableText = (value: string): boolean => text.test(value)

/** Whether a text of one line, such as a name, can be stored and shown. */
export const isPrintableLine = (value: string): boolean => line.test(value)

/** @throws {Problem} 400 that names the first field whose value breaks the rule; what is not a string is passed by */
export function refuseUnprintable(fields: {
  lines?: Readonly<Record<string, unknown>>
  texts?: Readonly<Record<string, unknown>>
}): void {
  refuse(fields.lines ?? {}, isPrintableLine, LINE_RULE)
  refuse(fields.texts ?? {}, isPrintableText, TEXT_RULE)
}

function refuse(
  fields: Readonly<Record<string, unknown>>,
  isGood: (value: string) => boolean,
  rule: string,
) {
  for (const [name, value] of Object.entries(fields))
    if (typeof value === 'string' && !isGood(value))
      throw new Problem(400, 'invalid_request', `${name} ${rule}`)
}
