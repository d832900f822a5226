/**
 * What may be kept of a message that was refused: it never became an event, so that the rules of its
 * model apply to whatever it holds.
 */
import type { LoggedMessage } from '../../event-log/port.ts'
import { isObject } from '../fields.ts'
import { whyBeyond } from '../json/bounds.ts'
import type { Privacy, Redactor } from './redactor.ts'

/** Headers that say what a message is, and nothing of what is in it. */
const KEPT_HEADERS = new Set([
  'content-type',
  'ce_specversion',
  'ce_type',
  'ce_time',
  'ce_modelid',
  'ce_inferenceservicename',
  'ce_endpoint',
  'mlserver-model',
  'mlserver-version',
])
const BOUNDS = { maxDepth: 64, maxMembers: 200_000 }
const EMPTY = Buffer.alloc(0)

/**
 * A refused message as it may be kept. Its own bytes where no model has rules or its model has none;
 * the JSON that is left of it by the rules; and no value at all where it is no JSON, since nobody can
 * say whose it is.
 */
export function keptMessage(message: LoggedMessage, privacy: Privacy): LoggedMessage {
  const all = privacy.ofAll()
  if (!all) return message
  const parsed = objectIn(message.value)
  const said = modelsIn(message, parsed)
  const ruled = [...said, modelOfKey(message)]
    .map((model) => privacy.of(model))
    .filter((one) => one !== undefined)
  if (parsed && said.length > 0 && ruled.length === 0) return message
  return keptWith(message, {
    key: (ruled[0] ?? all).changesKeys ? EMPTY : message.key,
    value: parsed ? valueBy(ruled.length > 0 ? ruled : [all], message.value) : EMPTY,
  })
}

/**
 * A refused message of a source as it may be kept. Its members have names of the source's own, which
 * the rules of models do not know: where any model has rules, neither value nor key is kept.
 */
export function keptOfSource(message: LoggedMessage, privacy: Privacy): LoggedMessage {
  return privacy.ofAll() ? keptWith(message, { key: EMPTY, value: EMPTY }) : message
}

function keptWith(
  message: LoggedMessage,
  parts: Pick<LoggedMessage, 'key' | 'value'>,
): LoggedMessage {
  const { within: _value, keyWithin: _key, ...rest } = message
  return {
    ...rest,
    ...parts,
    headers: Object.fromEntries(
      Object.entries(message.headers ?? {}).filter(([name]) =>
        KEPT_HEADERS.has(name.toLowerCase()),
      ),
    ),
  }
}

const valueBy = (redactors: readonly Redactor[], value: Buffer): Buffer =>
  Buffer.from(redactors.reduce((text, redactor) => redactor.json(text), value.toString()))

function objectIn(value: Buffer): Record<string, unknown> | undefined {
  if (whyBeyond(value, BOUNDS)) return undefined
  try {
    const parsed: unknown = JSON.parse(value.toString())
    return isObject(parsed) ? parsed : undefined
  } catch {
    return undefined
  }
}

/** Endpoints write the model into the key; what producers write there is theirs. */
const modelOfKey = ({ key }: LoggedMessage) =>
  key.subarray(0, Math.max(0, key.indexOf('/'))).toString()

/** Every model that the message says it is of: in its value, its envelope, its headers. */
function modelsIn(
  { headers = {} }: LoggedMessage,
  parsed: Record<string, unknown> | undefined,
): string[] {
  const data = parsed?.['data']
  const named = [
    parsed?.['model_id'],
    parsed?.['modelid'],
    parsed?.['inferenceservicename'],
    isObject(data) ? data['model_id'] : undefined,
    headers['ce_modelid'],
    headers['ce_inferenceservicename'],
    headers['mlserver-model'],
  ]
  return [...new Set(named.filter((name): name is string => typeof name === 'string'))]
}
