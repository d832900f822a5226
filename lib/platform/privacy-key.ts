/** The privacy rules of the model files, with the key that hashes ids. */
import { readFileSync } from 'node:fs'
import { eventPrivacy, hashingModels } from '../models/event-privacy.ts'
import type { Models } from '../models/model-files.ts'
import type { Privacy } from '../events/privacy/redactor.ts'
import { ConfigError } from '../runtime/config.ts'
import { messageOf } from '../runtime/errors.ts'
import type { PlatformConfig } from './platform-config.ts'

const SETTING = 'PLUMBLINE_PRIVACY_KEY_FILE'
/** Bytes of a key that nobody guesses. */
const MIN_KEY_BYTES = 32

/**
 * The rules, ready for validators. The key is in no message and in no log.
 *
 * @throws {ConfigError} where a model hashes and there is no key, or where the file holds none
 */
export function privacyOf(config: PlatformConfig, models: Models): Privacy {
  return eventPrivacy(models, keyOf(config[SETTING], hashingModels(models)))
}

function keyOf(path: string | undefined, hashing: readonly string[]): Buffer | undefined {
  if (path === undefined) {
    if (hashing.length === 0) return undefined
    throw new ConfigError([
      `${SETTING} is required: the model ${hashing[0]} names fields to hash, and a hash needs a key`,
    ])
  }
  let text: string
  try {
    text = readFileSync(path, 'utf8').trim()
  } catch (error) {
    throw new ConfigError([`${SETTING} cannot be read: ${messageOf(error)}`])
  }
  if (Buffer.byteLength(text) < MIN_KEY_BYTES)
    throw new ConfigError([
      `${SETTING} holds ${Buffer.byteLength(text)} bytes: a key has ${MIN_KEY_BYTES} or more, as \`openssl rand -hex 32\` makes one`,
    ])
  return Buffer.from(text)
}
