/** Patterns of names with `*` for any letters. Pure. */

/** Stars of one pattern. */
const MAX_STARS = 4

/** Why a pattern is none, to follow its key; undefined where it is one. */
export const globProblem = (pattern: string): string | undefined =>
  pattern.split('*').length - 1 > MAX_STARS ? `has more than ${MAX_STARS} *` : undefined

/**
 * Whether a name fits a pattern: its parts lie in the name in their order. Linear in the name but
 * for the parts' length: no regular expression, which could take long over a hostile name.
 */
export function fits(name: string, pattern: string): boolean {
  const parts = pattern.split('*')
  const [first, last] = [parts[0]!, parts.at(-1)!]
  if (parts.length === 1) return name === pattern
  if (!name.startsWith(first) || !name.endsWith(last)) return false
  if (name.length < first.length + last.length) return false
  const end = name.length - last.length
  let at = first.length
  for (const part of parts.slice(1, -1)) {
    const found = name.indexOf(part, at)
    if (found === -1 || found + part.length > end) return false
    at = found + part.length
  }
  return true
}
