/**
 * Whether labels and predictions name their classes alike. `1` and `1.0`, `true` and `True` are
 * different classes, and where no prediction can have the class of its label, every measure says
 * that the model is always wrong. Pure.
 */
import type { Confusion } from '../../../lib/stats/estimators/confusion.ts'

/** What keeps labels and predictions from being compared. */
export interface ClassFault {
  /** Measures that cannot be known: all of them, or those alone that a score is held against. */
  of: 'all' | 'scores'
  /** A sentence that names both sets of classes. */
  reason: string
}

/** Which classes a model has. */
export interface ClassRules {
  /** Classes of the model file. */
  declared: readonly string[]
  positiveClass: string
  /** One class against all others. */
  binary: boolean
  /**
   * Counts of the reference: classes that were met there both as labels and as predictions are
   * classes of the model.
   */
  reference?: Confusion | undefined
}

/** Labels that are spelled otherwise than predictions may be so many before nothing can be said. */
const MAX_MISSPELLED = 0.01
const MAX_NAMED = 5
const MAX_NAME = 40

/**
 * Why labels and predictions of a span cannot be compared.
 *
 * A model may be always wrong: where all classes are known, those of the model file or of the
 * reference, there is no fault.
 *
 * @returns undefined where they can be compared
 */
export function classFault(
  confusion: Confusion | undefined,
  rules: ClassRules,
): ClassFault | undefined {
  if (!confusion || confusion.n === 0) return undefined
  const labels = classesOf(confusion, confusion.truly)
  const predictions = classesOf(confusion, confusion.predicted)
  if (labels.size === 0 || predictions.size === 0) return undefined
  const known = knownClasses(rules)
  const isKnown = (name: string) => known.has(name)
  const both = `labels are ${listed(labels)}; predictions are ${listed(predictions)}`
  const meet = [...labels.keys()].some((name) => predictions.has(name))
  if (!meet && ![...labels.keys(), ...predictions.keys()].every(isKnown))
    return { of: 'all', reason: `no label has the class of a prediction: ${both}` }
  const misspelled = misspelledOf(labels, predictions, isKnown)
  if (misspelled.share > MAX_MISSPELLED)
    return {
      of: 'all',
      reason: `${(100 * misspelled.share).toFixed(1)} % of the labels spell a class otherwise than predictions (${misspelled.example}): ${both}`,
    }
  return positiveFault(labels, predictions, rules, isKnown)
}

/** Two kinds of labels, and neither is the positive class: scores are held against nothing. */
function positiveFault(
  labels: ReadonlyMap<string, number>,
  predictions: ReadonlyMap<string, number>,
  { binary, positiveClass }: ClassRules,
  isKnown: (name: string) => boolean,
): ClassFault | undefined {
  const names = [...labels.keys()]
  if (!binary || names.length < 2 || labels.has(positiveClass) || names.every(isKnown))
    return undefined
  return {
    // A score from the threshold on is read as the positive class.
    of: predictions.has(positiveClass) ? 'all' : 'scores',
    reason: `no label is the positive class ${short(positiveClass)}: labels are ${listed(labels)}`,
  }
}

/**
 * Labels of classes that no prediction has, while one has the same class in another spelling; or
 * the other way round.
 */
function misspelledOf(
  labels: ReadonlyMap<string, number>,
  predictions: ReadonlyMap<string, number>,
  isKnown: (name: string) => boolean,
): { share: number; example: string } {
  const spellings = Map.groupBy(predictions.keys(), spelling)
  let all = 0
  let wrong = 0
  let example = ''
  for (const [name, n] of labels) {
    all += n
    const other = (spellings.get(spelling(name)) ?? []).find(
      (one) =>
        one !== name &&
        (!predictions.has(name) || !labels.has(one)) &&
        !(isKnown(one) && isKnown(name)),
    )
    if (other === undefined) continue
    wrong += n
    example ||= `${short(name)} and ${short(other)}`
  }
  return { share: all > 0 ? wrong / all : 0, example }
}

const WORDS = new Map([
  ['true', '1'],
  ['false', '0'],
])

/**
 * Spelling that is equal for classes that are likely one: whatever the case, the zeros of a number,
 * or the word for a truth value.
 */
function spelling(name: string): string {
  const plain = name.trim().toLowerCase()
  const word = WORDS.get(plain)
  if (word !== undefined) return word
  return plain !== '' && Number.isFinite(Number(plain)) ? String(Number(plain)) : plain
}

function knownClasses({ declared, reference }: ClassRules): Set<string> {
  const known = new Set(declared)
  reference?.classes.forEach((name, i) => {
    if (reference.truly[i]! > 0 && reference.predicted[i]! > 0) known.add(name)
  })
  return known
}

const classesOf = ({ classes }: Confusion, counts: readonly number[]) =>
  new Map(classes.flatMap((name, i) => (counts[i]! > 0 ? [[name, counts[i]!] as const] : [])))

/** The most frequent ones. */
function listed(classes: ReadonlyMap<string, number>): string {
  const names = [...classes].toSorted(([, a], [, b]) => b - a).map(([name]) => short(name))
  const more = names.length - MAX_NAMED
  return names.slice(0, MAX_NAMED).join(', ') + (more > 0 ? ` and ${more} more` : '')
}

const short = (name: string) =>
  name.length > MAX_NAME ? `${name.slice(0, MAX_NAME).toWellFormed()}…` : name
