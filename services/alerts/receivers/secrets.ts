/** The secrets that are kept out of what is kept of answers. Pure. */
import { referencesIn, withSecrets, type SecretOf } from '../../../lib/models/secret-references.ts'
import type { Receiver } from '../../../schemas/alerts-file.ts'
import { secretsOf } from '../decide/file-problems.ts'

/** Shorter parts of an address tell nothing. */
const MIN_PART = 8

/**
 * The secrets of a receiver, and of an address its path too: servers name in their answers what
 * they were asked for.
 */
export const secretsIn = (receiver: Receiver, secretOf: SecretOf): string[] =>
  secretsOf(receiver).flatMap(([, text]) => {
    const values = referencesIn(text).map((whole) => withSecrets(whole, secretOf))
    return values.flatMap((value) => {
      if (!URL.canParse(value)) return [value]
      const { pathname, search } = new URL(value)
      return [value, pathname, search].filter((part) => part.length >= MIN_PART)
    })
  })
