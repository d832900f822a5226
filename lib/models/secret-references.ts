/**
 * References to secrets, as files write them: `secret://env/NAME` stands for a variable of the
 * environment. Pure.
 */

/** Any reference, well written or not; its group is what follows `secret://`. */
export const SECRET = /secret:\/\/([^\s"',;]*)/g
const ENVIRONMENT = /^env\/([A-Za-z_][A-Za-z0-9_]*)$/

/** The value of a variable of the environment; undefined where it is not set. */
export type SecretOf = (name: string) => string | undefined

/**
 * Every problem of the references in a text, each to follow the key of the text. Names of our own
 * settings may not be sent out: whoever writes the file would read them.
 */
export function secretProblems(text: string): string[] {
  return [...text.matchAll(SECRET)].flatMap(([whole, reference = '']) => {
    const name = ENVIRONMENT.exec(reference)?.[1]
    if (name === undefined) return [`${whole} must be written secret://env/NAME`]
    return name.toUpperCase().startsWith('PLUMBLINE_')
      ? [`${whole} is a setting of this service, and is not sent out`]
      : []
  })
}

/** A text with every reference replaced by its secret. */
export const withSecrets = (text: string, secretOf: SecretOf): string =>
  text.replaceAll(SECRET, (whole) => secretValue(whole, secretOf))

/**
 * The value of one reference, without white space around it.
 *
 * @param whole as `secret://env/NAME`
 * @throws {Error} where the variable is not set or empty
 */
export function secretValue(whole: string, secretOf: SecretOf): string {
  const name = ENVIRONMENT.exec(whole.replace(/^secret:\/\//, ''))?.[1] ?? ''
  const value = secretOf(name)?.trim() ?? ''
  if (value === '') throw new Error(`${whole} is not set`)
  return value
}
