/**
 * Prints the section `expectations` of a model file from what another tool has written:
 *
 *     npm run expectations -- --from great-expectations suite.json
 *
 * Sources are `sagemaker` (constraints.json), `great-expectations` (a suite), `pandera` (a schema as
 * JSON or YAML) and `json-schema`. What could not be translated stands above the section as comments.
 */
import { readFileSync, statSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { parse, stringify } from 'yaml'
import { didYouMean } from '../lib/runtime/nearest-name.ts'
import { fromGreatExpectations } from './expectation-sources/great-expectations.ts'
import { fromJsonSchema } from './expectation-sources/json-schema.ts'
import { fromPandera } from './expectation-sources/pandera.ts'
import { fromSagemaker } from './expectation-sources/sagemaker.ts'
import { accepted, type Translated } from './expectation-sources/translated.ts'

const SOURCES: Readonly<Record<string, (document: unknown) => Translated>> = {
  sagemaker: fromSagemaker,
  'great-expectations': fromGreatExpectations,
  pandera: fromPandera,
  'json-schema': fromJsonSchema,
}
const MAX_BYTES = 10_000_000

/**
 * Translates the text of another tool's file.
 *
 * @throws {Error} with a sentence where the source is not known, or nothing can be read
 */
export function sectionOf(source: string, text: string): string {
  const translate = SOURCES[source]
  if (!translate)
    throw new Error(
      `--from ${source} is none of ${Object.keys(SOURCES).join(', ')}${didYouMean(source, Object.keys(SOURCES))}`,
    )
  const { rules, untranslated } = accepted(translate(parse(text, { maxAliasCount: 100 })))
  if (rules.length === 0 && untranslated.length === 0)
    throw new Error(`the file holds no expectations of ${source}`)
  const told = untranslated.map((one) => `# not translated: ${one.replaceAll(/\s+/g, ' ')}\n`)
  return `${told.join('')}${stringify({ expectations: rules }, { lineWidth: 0 })}`
}

function main(): void {
  const { values, positionals } = parseArgs({
    options: { from: { type: 'string' } },
    allowPositionals: true,
  })
  const [file] = positionals
  if (values.from === undefined || file === undefined || positionals.length > 1)
    throw new Error(`usage: npm run expectations -- --from ${Object.keys(SOURCES).join('|')} FILE`)
  const { size } = statSync(file)
  if (size > MAX_BYTES) throw new Error(`${file} is larger than ${MAX_BYTES} bytes`)
  process.stdout.write(sectionOf(values.from, readFileSync(file, 'utf8')))
}

if (import.meta.main) {
  try {
    main()
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`)
    process.exitCode = 1
  }
}
