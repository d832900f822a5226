/** Scores a window's answers beside the texts that came as their labels, once for all cohorts. */
import type { ReferenceScore } from '../../../schemas/language-models/reference-scores.ts'
import type { Model } from '../../../lib/models/model-files.ts'
import type { Window } from '../../../lib/models/windows.ts'
import { keyOf, type Cohort } from '../data/cohort.ts'
import { metricResult, type MetricResult } from '../data/metric-results.ts'
import type { ReferenceTexts } from '../data/named-labels.ts'
import { scoresOf, scoreSubject, type ScoredAnswer } from '../evaluate/feedback/reference-scores.ts'
import type { DriftQueries } from '../queries/drift-queries.ts'
import { MAX_SCORED } from '../queries/outcomes/reference-texts.ts'

/** UTF-16 units of texts that are scored before others have their turn: some 50 ms. */
const AT_A_TIME = 40_000

/** A window whose answers are scored. */
export interface ScoresQuestion {
  queries: Pick<DriftQueries, 'referenceTexts' | 'valuesOfSlice'>
  model: Model
  window: Window
  cohorts: readonly Cohort[]
  hasLabels: boolean
}

/** What the scores of a window say. */
export interface WindowScores {
  /** The scores of a cohort. */
  of: (c: Cohort) => Promise<ScoredAnswer[]>
  /** Labels that are texts, which no rate of classes is made of. */
  texts: ReadonlySet<string>
  /** Subjects of scores: a label of such a name is none. */
  subjects: ReadonlySet<string>
  /** What was left out of a score, or why it is not known; '' where nothing was. */
  reasonOf: (subject: string) => string
  /** Scores that are known of no answer, with the reason. */
  unknown: MetricResult[]
}

/** Scores of a window; undefined where its model asks for none, or no label has come. */
export async function scoresOfWindow(question: ScoresQuestion): Promise<WindowScores | undefined> {
  const { queries, model, window, hasLabels, cohorts } = question
  const asked = model.referenceScores
  if (!asked || !hasLabels) return undefined
  const nameOf = (score: ReferenceScore) =>
    score === 'context_overlap' ? asked.context! : asked.label
  const names = [...new Set(asked.scores.map(nameOf))]
  const of = { modelId: model.modelId, window, names }
  const lost = lostToPrivacy(model)
  const texts = lost ? NOTHING : await queries.referenceTexts(of)
  const scored = await scoreAll(texts, (name) =>
    asked.scores.filter((score) => nameOf(score) === name),
  )
  const known = new Set(scored.map(({ subject }) => subject))
  const reasons = new Map(
    asked.scores.map((score) => [
      scoreSubject(score),
      lost ?? reasonOf(texts, nameOf(score), scored.filter(isOf(scoreSubject(score))).length),
    ]),
  )
  const slices = new Map<string, Promise<Map<string, string>>>()
  const valuesOf = (slice: NonNullable<Cohort['slice']>) => {
    const read =
      slices.get(slice.key) ??
      queries.valuesOfSlice(of, { ...slice, values: valuesAsked(cohorts, slice.key) }, [
        ...new Set(scored.map(({ prediction_id }) => prediction_id)),
      ])
    slices.set(slice.key, read)
    return read
  }
  return {
    of: async (c) => {
      if (!c.slice) return scored.filter(({ parts }) => parts.includes(keyOf(c)))
      const { value } = c.slice
      const values = await valuesOf(c.slice)
      return scored.filter((own) => values.get(own.prediction_id) === value)
    },
    texts: new Set([asked.label, ...(asked.context ? [asked.context] : [])]),
    subjects: new Set(reasons.keys()),
    reasonOf: (subject) => reasons.get(subject) ?? '',
    unknown: [...reasons]
      .filter(([subject, reason]) => !known.has(subject) && reason !== '')
      .map(([subject, reason]) => metricResult('feedback', subject, 'mean', null, { reason })),
  }
}

const NOTHING: ReferenceTexts = { labelled: new Map(), read: [] }

const isOf =
  (subject: string) =>
  (own: ScoredAnswer): boolean =>
    own.subject === subject

const valuesAsked = (cohorts: readonly Cohort[], key: string) =>
  cohorts.flatMap(({ slice }) => (slice?.key === key && !slice.rest ? [slice.value] : []))

/** Why nothing can be scored by the model's rules of privacy; undefined where it can. */
function lostToPrivacy({ privacy }: Model): string | undefined {
  for (const [rule, done] of [
    ['drop', 'drops'],
    ['hash', 'hashes'],
  ] as const)
    for (const field of ['output_text', 'label'])
      if (privacy?.[rule].includes(field)) return `privacy ${done} ${field}, which is scored`
  return undefined
}

async function scoreAll(
  { read }: ReferenceTexts,
  scoresFor: (name: string) => readonly ReferenceScore[],
): Promise<ScoredAnswer[]> {
  const scored: ScoredAnswer[] = []
  let units = 0
  for (const own of read) {
    for (const one of scoresOf(own, scoresFor(own.name))) scored.push(one)
    units += (own.answer?.length ?? 0) + (own.reference?.length ?? 0)
    if (units < AT_A_TIME) continue
    units = 0
    await new Promise((resolve) => {
      setImmediate(resolve)
    })
  }
  return scored
}

/** What was left out of the labels of a name; '' where no label came or all were scored. */
function reasonOf({ labelled, read }: ReferenceTexts, name: string, scored: number): string {
  const all = labelled.get(name) ?? 0
  if (scored === all) return ''
  const own = read.filter((text) => text.name === name)
  const tooLong = own.filter(({ isTooLong }) => isTooLong).length
  const without = own.filter(({ answer, isTooLong }) => answer === null && !isTooLong).length
  const blank = own.length - tooLong - without - scored
  return [
    `${scored} of ${all} answers with a text named ${name} are scored`,
    own.length < all ? `${own.length} are read, drawn by their ids` : '',
    without > 0 ? `${without} have no output_text` : '',
    tooLong > 0 ? `${tooLong} are longer than ${MAX_SCORED} characters, or their text is` : '',
    blank > 0 ? `${blank} have no words` : '',
  ]
    .filter(Boolean)
    .join('; ')
}
