/** The keys that sign tokens of predictions. */
import { readFileSync } from 'node:fs'
import { ConfigError } from '../../../lib/runtime/config.ts'
import { messageOf } from '../../../lib/runtime/errors.ts'

const SETTING = 'PLUMBLINE_FEEDBACK_KEY_FILE'
const MIN_KEY_BYTES = 32
const MOST_KEYS = 2

/**
 * The keys of a file, a line each: the first signs, both are believed. None where no file is named.
 *
 * @throws {ConfigError} where the file cannot be read, or holds none, a short one or more than two
 */
export function readFeedbackKeys(path: string | undefined): Buffer[] {
  if (path === undefined) return []
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new ConfigError([`${SETTING} cannot be read: ${messageOf(error)}`])
  }
  const keys = text
    .split(/\r?\n/)
    .map((line) => Buffer.from(line.trim()))
    .filter(({ length }) => length > 0)
  if (keys.length === 0 || keys.length > MOST_KEYS)
    throw new ConfigError([
      `${SETTING} holds ${keys.length} keys: it needs one or two, a line each`,
    ])
  const short = keys.find(({ length }) => length < MIN_KEY_BYTES)
  if (short)
    throw new ConfigError([
      `${SETTING} holds a key of ${short.length} bytes: a key has ${MIN_KEY_BYTES} or more, as \`openssl rand -hex 32\` makes one`,
    ])
  return keys
}
