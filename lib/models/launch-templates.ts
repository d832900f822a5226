/**
 * Headers and bodies of launches as the model file writes them: `{{run_id}}` stands for what a run
 * has, `secret://env/NAME` in a header for a variable of the environment. Pure.
 */
import { didYouMean } from '../runtime/nearest-name.ts'
import { SECRET, secretProblems, secretValue } from './secret-references.ts'

/** What a template may name, of a run. */
export const LAUNCH_NAMES = [
  'run_id',
  'model_id',
  'policy',
  'reason',
  'window_end',
  'created_at',
  'status_url',
  'model_file_sha256',
  'code_sha256',
  'dataset_sha256',
  'dataset',
] as const
/** What the launch of a step of traffic may name besides. */
export const STEP_NAMES = [
  ...LAUNCH_NAMES,
  'action',
  'share',
  'new_version',
  'current_version',
] as const
type StepName = Exclude<(typeof STEP_NAMES)[number], (typeof LAUNCH_NAMES)[number]>
/**
 * The values of a run by the names that templates use; '' for one that the run lacks. A step of
 * traffic has `action` (`step` or `roll_back`), `share` in percent, and both versions besides.
 */
export type LaunchValues = Readonly<
  Record<(typeof LAUNCH_NAMES)[number], string> & Partial<Record<StepName, string>>
>

/** A template of JSON. */
export type Template =
  string | number | boolean | null | readonly Template[] | { readonly [key: string]: Template }

const PLACE = /\{\{\s*([^{}]*?)\s*\}\}/g
const ANY = new RegExp(`${PLACE.source}|${SECRET.source}`, 'g')
const NO_HEADER = /[^\t\x20-\x7e\x80-\xff]/g
/** What senders set themselves, and what would say where the request goes or ends. */
const RESERVED =
  /^(webhook-(id|timestamp|signature)|host|content-length|content-type|transfer-encoding|connection)$/i
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

/**
 * Every problem of the headers and the body of a launch, as sentences.
 *
 * @param what names the template in them
 * @param names what templates may name
 */
export function templateProblems(
  headers: Readonly<Record<string, string>>,
  body: Template | undefined,
  what = 'body',
  names: readonly string[] = LAUNCH_NAMES,
): string[] {
  const problems = headerProblems(headers)
  for (const [name, value] of Object.entries(headers))
    for (const problem of [...nameProblems(value, names), ...secretProblems(value)])
      problems.push(`headers.${name} ${problem}`)
  for (const text of textsOf(body ?? null)) {
    for (const problem of nameProblems(text, names)) problems.push(`${what} ${problem}`)
    if (text.includes('secret://'))
      problems.push(`${what} may hold no secret: bodies are logged where they arrive; use a header`)
  }
  return problems
}

/** Every problem of the names of headers and of their letters, as sentences. */
export function headerProblems(headers: Readonly<Record<string, string>>): string[] {
  const problems: string[] = []
  for (const [name, value] of Object.entries(headers)) {
    const path = `headers.${name}`
    if (!HEADER_NAME.test(name)) problems.push(`${path} is not the name of a header`)
    if (RESERVED.test(name)) problems.push(`${path} is set by Plumbline itself`)
    if (value.search(NO_HEADER) !== -1)
      problems.push(`${path} may hold printable characters of one byte alone`)
  }
  return problems
}

const nameProblems = (text: string, names: readonly string[]): string[] =>
  [...text.matchAll(PLACE)].flatMap(([, name = '']) =>
    names.includes(name)
      ? []
      : [`names {{${name}}}${didYouMean(name, names)}: ${names.join(', ')}`],
  )

/** Whether a text of a template stands for this value of a run. */
export const isNamed = (template: Template, name: string): boolean =>
  textsOf(template).some((text) => [...text.matchAll(PLACE)].some(([, found]) => found === name))

function textsOf(template: Template): string[] {
  if (typeof template === 'string') return [template]
  if (template === null || typeof template !== 'object') return []
  return Object.values(template).flatMap((part) => textsOf(part))
}

/** Fills a template of JSON with the values of a run. */
export function filled(template: Template, values: LaunchValues): Template {
  if (typeof template === 'string') return filledText(template, values)
  if (template === null || typeof template !== 'object') return template
  if (Array.isArray(template)) return template.map((part: Template) => filled(part, values))
  return Object.fromEntries(
    Object.entries(template).map(([key, part]) => [key, filled(part, values)]),
  )
}

const filledText = (text: string, values: LaunchValues): string =>
  text.replaceAll(PLACE, (_, name: keyof LaunchValues) => values[name] ?? '')

/**
 * Fills headers with the values of a run, and with secrets.
 *
 * @param secret the value of a variable of the environment; undefined where it is not set
 * @throws {Error} where a secret is not set
 */
export function filledHeaders(
  headers: Readonly<Record<string, string>>,
  values: LaunchValues,
  secret: (name: string) => string | undefined,
): Record<string, string> {
  // One pass, so that a value of a run that looks like a place or a secret stays what it is.
  const fill = (whole: string, name: string | undefined, reference: string | undefined) =>
    reference === undefined
      ? (values[name as keyof LaunchValues] ?? '').replaceAll(NO_HEADER, '?')
      : headerSecret(whole, secret)
  return Object.fromEntries(
    Object.entries(headers).map(([name, template]) => [name, template.replaceAll(ANY, fill)]),
  )
}

function headerSecret(whole: string, secret: (name: string) => string | undefined): string {
  const value = secretValue(whole, secret)
  if (value.search(NO_HEADER) !== -1) throw new Error(`${whole} holds what no header may`)
  return value
}
