/** What a model is compared with and how calm it is set, in words. Pure. */
import { isBaseline, type Model } from '../../../lib/models/model-files.ts'
import type { Window } from '../../../lib/models/windows.ts'
import { MIN_WINDOWS } from '../data/reference.ts'
import { lengthOf, LONG_LEARNING_MS, shorterWindows } from './shorter-windows.ts'
import { frozenSpans, type StoredReference } from './stored-references.ts'

const DAY_MS = 86_400_000

/** The reference that verdicts came from in the newest window, where there is one. */
export interface BaselineNow {
  reference: string
  kind: string
  /** Such as `learning, window 3 of 8`, or ''. */
  reason: string
}

/**
 * Says what the windows of a model are compared with.
 *
 * @param stored references that were frozen or put
 * @param now of the newest window; undefined before the first
 * @returns sentences, without the last full stop
 */
export function baselineInWords(
  model: Model,
  stored: readonly StoredReference[],
  now: BaselineNow | undefined,
): string {
  return [
    whatIsCompared(model, stored, now),
    // The reason of a window without a verdict says so itself.
    now === undefined || isLearning(model, stored, now) ? capitalised(learningLength(model)) : '',
    tableInWords(model, stored),
  ]
    .filter((one) => one !== '')
    .join('. ')
}

/** Whether the baseline of the model file is not whole yet, and shorter windows give verdicts. */
function isLearning(
  model: Model,
  stored: readonly StoredReference[],
  { reference, reason }: BaselineNow,
): boolean {
  const declared = model.references[reference]
  const isWhole = frozenSpans(stored, model.modelId).has(reference)
  return declared?.kind === 'first' && !isWhole && reason === ''
}

function whatIsCompared(
  model: Model,
  stored: readonly StoredReference[],
  now: BaselineNow | undefined,
): string {
  const [name, declared] = Object.entries(model.references).find(([, one]) => isBaseline(one))!
  const learning = now?.reason.startsWith('learning, ')
    ? `, which are being learned (${now.reason})`
    : ''
  if (now && now.reference !== name)
    return `Windows are compared with the first ${MIN_WINDOWS} complete windows of ${now.reference}${learning}`
  const windows = declared.windows ?? MIN_WINDOWS
  switch (declared.kind) {
    case 'first': {
      const span = frozenSpans(stored, model.modelId).get(name)
      const of =
        windows === 1 ? 'its first complete window' : `its first ${windows} complete windows`
      const known = span ? ` (${day(span.start)} to ${day(span.end)})` : ''
      const unseen = now ? ', which are being learned' : ', none of which has been evaluated yet'
      const pending = span || learning !== '' ? learning : unseen
      return `Windows are compared with ${of}${known}${pending}`
    }
    case 'fixed':
      return `Windows are compared with the span ${day(Date.parse(declared.from!))} to ${day(Date.parse(declared.to!))}`
    case 'since_promotion':
      return `Windows are compared with the first ${windows} complete windows since the newest version took over${learning}`
    case 'version':
      return `Windows are compared with all predictions of version ${declared.model_version!}`
    case 'season':
      return `Windows are compared with those of the same phase of the last ${declared.windows ?? 4} seasons`
    case 'previous':
    case 'trailing':
    case 'table':
      return `Windows are compared with the reference ${name}`
  }
}

/**
 * How long learning takes where it takes long, and what is told meanwhile, or what to declare in its
 * place; else ''.
 */
export function learningLength(model: Model): string {
  const baseline = Object.values(model.references).find(isBaseline)
  if (baseline?.kind !== 'first' && baseline?.kind !== 'since_promotion') return ''
  const windows = baseline.windows ?? MIN_WINDOWS
  const ms = lengthOf(model.windows, windows)
  if (ms === undefined || ms <= LONG_LEARNING_MS || model.hasFixedLines) return ''
  const { size } = model.windows
  const takes = `learning takes ${windows} windows of ${size}, ${Math.round(ms / DAY_MS)} days`
  const shorter = shorterWindows(model, windows)
  return shorter
    ? `${takes}: it starts with windows of ${shorter.size}, whose noise drift and data quality are tested by from window ${shorter.after + 1} on, where each holds min_count events`
    : `${takes}: shorter windows, a fixed span or a table of what the model was trained on are known sooner`
}

/** The table that production is held against besides. */
function tableInWords(model: Model, stored: readonly StoredReference[]): string {
  const tables = stored.filter(({ kind, modelId }) => kind === 'table' && modelId === model.modelId)
  const declared = Object.entries(model.references).filter(([, { kind }]) => kind === 'table')
  const name =
    (declared.find(([, { baseline }]) => baseline) ?? declared[0])?.[0] ??
    tables.map((one) => one.name).toSorted()[0]
  if (name === undefined) return ''
  const found = tables.find((one) => one.name === name)
  return found
    ? `Besides, production is held against the table ${name} (${found.note ?? ''})`
    : `The table ${name} has not been read`
}

/**
 * Says how calm a model is set.
 *
 * @param window one of its windows, by which the budget is shared out; undefined before the first
 */
export function calmnessInWords(
  { hasFixedLines, falseAlarmsPerWeek }: Model,
  window: Window | undefined,
  windowAlpha: number | undefined,
): string {
  if (hasFixedLines)
    return 'Fixed lines decide (alarms: fixed): how often they alarm by chance is not bounded'
  const often =
    falseAlarmsPerWeek >= 1
      ? `${falseAlarmsPerWeek} false alarms a week`
      : `one false alarm in ${Number((1 / falseAlarmsPerWeek).toPrecision(2))} weeks`
  const share =
    window === undefined || windowAlpha === undefined
      ? ''
      : `: a window alarms by chance with a probability of at most ${windowAlpha.toPrecision(2)}`
  return `All metrics together may cost ${often}${share}`
}

const day = (ms: number) => new Date(ms).toISOString().slice(0, 10)

const capitalised = (text: string) => text.slice(0, 1).toUpperCase() + text.slice(1)
