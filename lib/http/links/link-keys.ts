/** The keys of links by which people answer runs. */
import { readFileSync } from 'node:fs'
import Type, { type Static } from 'typebox'
import { ConfigError } from '../../runtime/config.ts'
import { messageOf } from '../../runtime/errors.ts'

/** Settings of links by which people answer runs, as environment variables. */
export const LinkConfig = Type.Object({
  PLUMBLINE_APPROVAL_LINK_KEYS: Type.Optional(
    Type.String({
      description:
        'Keys of the links by which approvers answer a run, 32 characters or more each, separated by commas or spaces: the first signs, and links of all are good. Unset, as its file: no links are sent, and none is good.',
    }),
  ),
  PLUMBLINE_APPROVAL_LINK_KEYS_FILE: Type.Optional(
    Type.String({
      description:
        'File of these keys, read at each use: put a new key first, and take the old one out once its links have expired.',
    }),
  ),
})
/** Settings of links by which people answer runs, as environment variables. */
export type LinkConfig = Static<typeof LinkConfig>

/** Keys that are good at one time. */
const MAX_KEYS = 10
const MIN_KEY = 32
const MAX_FILE = 10_000

/** The keys as they are now, the one that signs first; none where links are not set up. */
export type LinkKeys = () => readonly string[]

/**
 * The keys that the settings name.
 *
 * @throws {ConfigError} where both settings are set, the file cannot be read, or a key is too short
 */
export function linkKeysOf(config: LinkConfig): LinkKeys {
  const { PLUMBLINE_APPROVAL_LINK_KEYS: text, PLUMBLINE_APPROVAL_LINK_KEYS_FILE: file } = config
  if (text !== undefined && file !== undefined)
    throw new ConfigError([
      'PLUMBLINE_APPROVAL_LINK_KEYS and PLUMBLINE_APPROVAL_LINK_KEYS_FILE are both set: set one',
    ])
  if (file === undefined) {
    const keys = text === undefined ? [] : keysIn(text, 'PLUMBLINE_APPROVAL_LINK_KEYS')
    return () => keys
  }
  const read = () => keysIn(textOf(file), `PLUMBLINE_APPROVAL_LINK_KEYS_FILE ${file}`)
  read()
  return read
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new ConfigError([`PLUMBLINE_APPROVAL_LINK_KEYS_FILE cannot be read: ${messageOf(error)}`])
  }
}

function keysIn(text: string, from: string): readonly string[] {
  const keys = text.length > MAX_FILE ? [] : text.split(/[\s,]+/).filter((key) => key !== '')
  if (keys.length === 0 || keys.length > MAX_KEYS)
    throw new ConfigError([`${from} must hold 1 to ${MAX_KEYS} keys`])
  if (keys.some((key) => key.length < MIN_KEY))
    throw new ConfigError([`${from} holds a key of fewer than ${MIN_KEY} characters`])
  return keys
}
