/**
 * What a label of a model may be, and how it is spelled: by the classes of its model file, or as a
 * number where the model predicts one. Pure.
 */
import { fieldGetter, type FlatRecord } from '../../events/flat-record.ts'
import type { Refusal } from '../expectations/refusal.ts'

/** A label as it is sent. */
export type LabelValue = string | number | boolean | readonly string[]

/** A label as it is taken, or why it is not. */
export type ReadLabel = { ok: true; label: LabelValue } | { ok: false; message: string }

/** What model files say about labels, as the sink asks of events. */
export interface LabelChecks {
  /** Why a label is refused; undefined where it is taken. */
  refusalOf: (event: FlatRecord) => Refusal | undefined
  /** The label in the spelling of its model; undefined where it has that already. */
  spelledOf: (event: FlatRecord) => LabelValue | undefined
}

/** What is asked of a model file. */
export interface LabelledModel {
  modelId: string
  classes: readonly string[]
  labels: { values: 'classes' | 'number' | 'any'; compare: 'exact' | 'normalised' }
}

/** Classes that a sentence lists. */
const LISTED = 20
const MAX_SHOWN = 100

/**
 * A label without what differs between writers of the same thing: spaces around it, case, `.0`
 * behind a whole number, zeros that end a fraction, and true or false for 1 or 0. Zeros in front
 * stay: `007` is a code.
 *
 * @example normalised(' True ') // '1'
 * @example normalised('1.50') // '1.5'
 */
export function normalised(text: string): string {
  const plain = text.trim().toLowerCase()
  if (plain === 'true') return '1'
  if (plain === 'false') return '0'
  return /^[+-]?\d{1,300}\.\d{1,300}$/.test(plain)
    ? plain.replace(/(\.\d*?)0+$/, '$1').replace(/\.$/, '')
    : plain
}

/** Classes of which two are one when they are {@link normalised}; undefined where all differ. */
export function sameClasses(classes: readonly string[]): [string, string] | undefined {
  const seen = new Map<string, string>()
  for (const name of classes) {
    const other = seen.get(normalised(name))
    if (other !== undefined && other !== name) return [other, name]
    seen.set(normalised(name), name)
  }
  return undefined
}

/**
 * Makes the function that reads labels of one model. Its `labels.values` decide: of `classes` a
 * label is one of them, under `compare: normalised` in another spelling too; of `number` it is a
 * finite number, under `normalised` with spaces around it; `any` takes all.
 */
export function labelReader(model: LabelledModel): (label: LabelValue) => ReadLabel {
  const { values, compare } = model.labels
  if (values === 'any') return (label) => ({ ok: true, label })
  if (values === 'number') return (label) => readNumber(label, compare === 'normalised')
  const known = new Set(model.classes)
  const spellings =
    compare === 'normalised'
      ? new Map(model.classes.map((name) => [normalised(name), name]))
      : new Map<string, string>()
  const classOf = (text: string) => (known.has(text) ? text : spellings.get(normalised(text)))
  return (label) => readClass(label, classOf, model.classes)
}

function readNumber(label: LabelValue, isTrimmed: boolean): ReadLabel {
  const message = `label must be a number, and ${shown(label)} is none`
  if (typeof label === 'number')
    return Number.isFinite(label) ? { ok: true, label } : { ok: false, message }
  if (typeof label !== 'string') return { ok: false, message }
  const text = isTrimmed ? label.trim() : label
  const isNumber = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)
  return isNumber && Number.isFinite(Number(text))
    ? { ok: true, label: text }
    : { ok: false, message }
}

function readClass(
  label: LabelValue,
  classOf: (text: string) => string | undefined,
  classes: readonly string[],
): ReadLabel {
  const given = Array.isArray(label) ? (label as readonly string[]) : [String(label)]
  const found: string[] = []
  for (const text of given) {
    const name = classOf(text)
    if (name === undefined) return { ok: false, message: notOne(text, classes) }
    found.push(name)
  }
  return { ok: true, label: Array.isArray(label) ? found : found[0]! }
}

const notOne = (text: string, classes: readonly string[]) =>
  `label must be one of the model's classes (${classes.slice(0, LISTED).join(', ')}${classes.length > LISTED ? ', …' : ''}), and ${shown(text)} is none`

const shown = (label: LabelValue) => JSON.stringify(label).slice(0, MAX_SHOWN)

const modelIdOf = fieldGetter('model_id')
const nameOf = fieldGetter('name')
const labelOf = fieldGetter('label')
const retractedOf = fieldGetter('retracted')

/**
 * Checks of the model files in force, made anew when these change. Named labels, what is taken back,
 * and labels of models without a file are taken as they come.
 */
export function liveLabelChecks(models: {
  readonly declared: readonly LabelledModel[]
}): LabelChecks {
  let { declared } = models
  let readers = readersOf(declared)
  const read = (event: FlatRecord): ReadLabel | undefined => {
    if (models.declared !== declared) {
      declared = models.declared
      readers = readersOf(declared)
    }
    const reader = readers.get(modelIdOf(event) as string)
    if (!reader || (nameOf(event) ?? 'label') !== 'label' || retractedOf(event) === true)
      return undefined
    return reader(labelOf(event) as LabelValue)
  }
  return {
    refusalOf: (event) => {
      const result = read(event)
      return result && !result.ok
        ? { rule: 'label', code: 'label_mismatch', message: result.message }
        : undefined
    },
    spelledOf: (event) => {
      const result = read(event)
      if (!result?.ok) return undefined
      const isSame = String(result.label) === String(labelOf(event))
      return isSame ? undefined : result.label
    },
  }
}

const readersOf = (declared: readonly LabelledModel[]) =>
  new Map(
    declared
      .filter(({ labels }) => labels.values !== 'any')
      .map((model) => [model.modelId, labelReader(model)]),
  )
