/** YAML that people write. Pure. */
import { parse } from 'yaml'
import { messageOf } from './errors.ts'

/**
 * What a text in YAML says.
 *
 * @throws {Error} where it is none
 */
export function yamlIn(text: string): unknown {
  try {
    // Aliases could make a small file into a large one.
    return parse(text, { maxAliasCount: 100 })
  } catch (error) {
    throw new Error(`is no YAML: ${messageOf(error).split('\n')[0]!}`, { cause: error })
  }
}
