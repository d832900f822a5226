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
export const secretProblems = (text: string): string[] =>
  referencesIn(text).flatMap((whole) => {
    const name = variableOf(whole)
    if (name === undefined) return [`${whole} must be written secret://env/NAME`]
    return isOwnSetting(name) ? [`${whole} is a setting of this service, and is not sent out`] : []
  })

/** The references in a text, well written or not, each as it stands there. */
export const referencesIn = (text: string): string[] =>
  [...text.matchAll(SECRET)].map(([whole]) => whole)

/** The variable that a reference stands for; undefined where it is not well written. */
export const variableOf = (whole: string): string | undefined =>
  ENVIRONMENT.exec(whole.replace(/^secret:\/\//, ''))?.[1]

/** Whether a variable is a setting of ours. */
export const isOwnSetting = (name: string): boolean => name.toUpperCase().startsWith('PLUMBLINE_')

/** A text with every one of these secrets blacked out, the longest first. */
export const withoutSecrets = (text: string, secrets: readonly string[]): string =>
  secrets
    .toSorted((a, b) => b.length - a.length)
    .reduce((rest, secret) => (secret === '' ? rest : rest.replaceAll(secret, '***')), text)

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
  const value = secretOf(variableOf(whole) ?? '')?.trim() ?? ''
  if (value === '') throw new Error(`${whole} is not set`)
  return value
}
