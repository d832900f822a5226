/** Validators of JSON schemas. */
import { Ajv, type Options, type ValidateFunction } from 'ajv'

/** What stands in a schema by reference is compiled once, not at each place. */
const OPTIONS: Options = { allErrors: true, verbose: true, strict: false, inlineRefs: false }

/**
 * A validator that is compiled when it is first needed, since schemas of files that a process does
 * not read would be a tenth of its start. It finds every error of a value, with the value and the
 * schema that it breaks.
 *
 * @param options of Ajv, beside these
 */
export function compiledSchema<T>(
  schema: object,
  options: Options = {},
): () => ValidateFunction<T> {
  let made: ValidateFunction<T> | undefined
  return () => (made ??= new Ajv({ ...OPTIONS, ...options }).compile<T>(schema))
}
