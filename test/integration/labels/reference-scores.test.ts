/**
 * Answers are scored beside texts that come as labels: scores are metrics of their windows, of all
 * cohorts, weighted where they were drawn, and what cannot be scored says why.
 */
import { beforeAll, expect, test } from 'vitest'
import { createMetrics } from '../../../lib/runtime/metrics.ts'
import { parseModel } from '../../../lib/models/model-files.ts'
import { uniforms } from '../../../lib/stats/distributions/random.ts'
import { bleuCounts, bleuOf } from '../../../lib/stats/reference-scores/bleu.ts'
import type { SharedRuns } from '../../../lib/stats/reference-scores/ngram-counts.ts'
import { rougeL } from '../../../lib/stats/reference-scores/rouge-l.ts'
import { exactMatch } from '../../../lib/stats/reference-scores/token-f1.ts'
import { evaluateOn } from '../../evaluating.ts'
import { pipeline, type Pipeline } from '../../pipeline.ts'

const DAY = 86_400_000
const START = Date.UTC(2026, 0, 1)
const [DAYS, PER_DAY] = [13, 120]
const LAST = DAYS - 1
const fileOf = (modelId: string, more = '') => `
model_id: ${modelId}
task: llm
descriptors: []
windows: { size: 1d, lateness: 1h, min_count: 30 }
labels: { horizon: 1h }
references:
  usual: { kind: fixed, from: 2026-01-01T00:00:00Z, to: 2026-01-11T00:00:00Z, baseline: true }
${more}`
const model = parseModel(
  fileOf(
    'answers',
    `slices: [country]
reference_scores: { scores: [exact_match, token_f1, bleu, rouge_l, chrf, context_overlap], context: passage }
alarms: { overrides: { feedback/mean/output_text.chrf: { alarm: "< 0.9" } } }`,
  ),
)
const dropping = parseModel(
  fileOf('dropping', 'reference_scores: {}\nprivacy: { drop: [output_text] }'),
)
const hostile = parseModel(fileOf('hostile', 'reference_scores: { scores: [rouge_l] }'))

const named = parseModel(fileOf('named', 'slices: [country]\nreference_scores: { scores: [bleu] }'))
const many = parseModel(fileOf('many', 'reference_scores: { scores: [exact_match] }'))

const uniform = uniforms(18)
const WORDS = 'rain snow wind hail fog sun cloud storm frost heat'.split(' ')
const CASES = Array.from({ length: DAYS * PER_DAY }, (_, i) => {
  const day = Math.floor(i / PER_DAY)
  const reference = Array.from({ length: 6 }, () => WORDS[Math.floor(uniform() * 10)]!)
  const wrong = day === LAST ? 0.7 : 0.15
  const answer = reference.map((word) => (uniform() < wrong ? 'nothing' : word))
  return {
    ...{ id: `a-${i}`, at: START + day * DAY + (i % PER_DAY) * 1000, day },
    answer: answer.join(' '),
    reference: reference.join(' '),
    version: i % 2 === 0 ? '1' : '2',
    country: i % 3 === 0 ? 'DE' : 'FR',
    pi: i % 4 === 0 ? 0.25 : 1,
  }
})
type Case = (typeof CASES)[number]
let on: Pipeline

const answerOf = (modelId: string, { id, at, answer, version, country }: Case) => ({
  prediction_id: id,
  model_id: modelId,
  model_version: version,
  predicted_at: new Date(at).toISOString(),
  output_text: answer,
  attributes: { country },
})
const labelOf = (modelId: string, { id }: Case, text: string, more: object = {}) => ({
  label_id: `${id}-${JSON.stringify(more)}`,
  model_id: modelId,
  prediction_id: id,
  label: text,
  labelled_at: new Date(START + 20 * DAY).toISOString(),
  source: 'ground_truth',
  ...more,
})
/** Texts that nobody meant to be scored. */
const HOSTILE: [answer: string, reference: string][] = [
  ['', 'an answer'],
  ['...', '!!!'],
  ['x'.repeat(10_001), 'x'],
  ['x', 'y '.repeat(5001)],
  ['مرحبا بالعالم', 'مرحبا بالعالم'],
  ['cafe\u0301', 'café'],
  ['今天天气', '今天'],
]
/** More answers than are scored of a window; every third is right. */
const MANY = Array.from({ length: 1200 }, (_, i) => ({
  ...CASES[0]!,
  ...{ id: `m-${i}`, answer: String(i % 3), reference: '0' },
}))
/** Texts of 9 000 bytes each. */
const LONG = Array.from({ length: 70 }, (_, i) => ({
  ...CASES[PER_DAY]!,
  ...{ id: `l-${i}`, answer: 'long '.repeat(1800), reference: 'long '.repeat(1800) },
}))
const ODD = HOSTILE.map(([answer, reference], i) => ({ ...CASES[i]!, answer, reference }))

beforeAll(async () => {
  on = await pipeline()
  await on.predictions([
    ...CASES.map((own) => answerOf('answers', own)),
    ...ODD.map((own) => answerOf('hostile', own)),
    ...CASES.slice(0, 2 * PER_DAY).map((own) => answerOf('named', own)),
    ...[...MANY, ...LONG].map((own) => answerOf('many', own)),
    ...CASES.slice(0, 60).map((own) => {
      const { output_text: _, ...rest } = answerOf('dropping', own)
      return rest
    }),
  ])
  await on.labels([
    ...CASES.flatMap((own) => [
      labelOf('answers', own, own.reference, own.pi < 1 ? { inclusion_probability: own.pi } : {}),
      labelOf('answers', own, `${own.reference} and more`, { name: 'passage' }),
    ]),
    ...ODD.map((own) => labelOf('hostile', own, own.reference)),
    // The second day has no text to score beside.
    ...CASES.slice(0, PER_DAY).map((own) => labelOf('named', own, own.reference)),
    ...CASES.slice(0, 2 * PER_DAY).flatMap((own) => [
      labelOf('named', own, 'good', { name: 'output_text.bleu' }),
      labelOf('named', own, '0.5', { name: 'output_text.rouge_l' }),
    ]),
    ...[...MANY, ...LONG].map((own) => labelOf('many', own, own.reference)),
    ...CASES.slice(0, 60).map((own) => labelOf('dropping', own, own.reference)),
  ])
  for (const [i, one] of [model, dropping, hostile, many, named].entries())
    await evaluateOn(on.connect('drift'), {
      now: () => START + (100 + i) * DAY,
      metrics: createMetrics(),
    })(one)
})

interface Row {
  subject: string
  metric: string
  method: string
  value: number | null
  ci_low: number
  ci_high: number
  baseline_value: number | null
  n_current: string
  n_labelled: string
  verdict: string
  reason: string
}
const ALL = { version: '', slice: '' }
async function results(modelId: string, day: number, cohort = ALL) {
  const rows = await on.db.query<Row>(
    `SELECT * FROM window_metrics_latest WHERE model_id = {id:String} AND family = 'feedback' AND window_start = toDateTime64({at:Float64} / 1000, 3, 'UTC')
       AND model_version = {version:String} AND slice_value = {slice:String} AND variant = ''`,
    { id: modelId, at: START + day * DAY, ...cohort },
  )
  return new Map(rows.map((row) => [`${row.metric}/${row.subject}`, row]))
}
const of = (day: number, where: (own: Case) => boolean = () => true) =>
  CASES.filter((own) => own.day === day && where(own))
const weighted = (cases: readonly Case[], score: (answer: string, reference: string) => number) =>
  cases.reduce((sum, { answer, reference, pi }) => sum + score(answer, reference) / pi, 0) /
  cases.reduce((sum, { pi }) => sum + 1 / pi, 0)

test('each score is a mean with an interval, weighted where labels were drawn', async () => {
  const found = await results('answers', 10)
  const rouge = found.get('mean/output_text.rouge_l')!
  const value = weighted(of(10), rougeL)
  expect(rouge).toMatchObject({
    value: expect.closeTo(value, 9),
    method: 'weighted',
    n_current: String(PER_DAY),
    n_labelled: String(PER_DAY),
    verdict: 'ok',
  })
  expect(rouge.ci_low).toBeLessThan(value)
  expect(rouge.ci_high).toBeGreaterThan(value)
  const exact = found.get('mean/output_text.exact_match')!
  expect(exact.value).toBeCloseTo(weighted(of(10), exactMatch), 9)
  for (const score of ['token_f1', 'bleu', 'chrf', 'context_overlap'])
    expect(found.get(`mean/output_text.${score}`)!.value).toBeGreaterThan(0.3)
})

test('BLEU and chrF of all answers together stand beside the means', async () => {
  const found = await results('answers', 10)
  const sums = of(10).reduce<SharedRuns[]>(
    (all, { answer, reference, pi }) =>
      bleuCounts(answer, reference).map((own, i) => ({
        answer: (all[i]?.answer ?? 0) + own.answer / pi,
        reference: (all[i]?.reference ?? 0) + own.reference / pi,
        matched: (all[i]?.matched ?? 0) + own.matched / pi,
      })),
    [],
  )
  const bleu = found.get('corpus/output_text.bleu')!
  expect(bleu.value).toBeCloseTo(bleuOf(sums, false), 9)
  expect(bleu.ci_low).toBeLessThan(bleu.value!)
  expect(bleu.ci_high).toBeGreaterThan(bleu.value!)
  expect(bleu).toMatchObject({ verdict: 'none', method: 'weighted', n_labelled: String(PER_DAY) })
})

test('texts are no classes, and scores have no coverage of their own', async () => {
  const names = [...(await results('answers', 10)).keys()]
  const own = names.filter((name) => !name.startsWith('mean/output_text.'))
  expect(own.toSorted()).toEqual(['corpus/output_text.bleu', 'corpus/output_text.chrf'])
  expect(names).toHaveLength(8)
})

test.each([
  ['a version', { version: '2', slice: '' }, ({ version }: Case) => version === '2'],
  ['a slice', { version: '', slice: 'DE' }, ({ country }: Case) => country === 'DE'],
])('%s has its own', async (_, cohort, where) => {
  const found = await results('answers', 10, cohort)
  const cases = of(10, where)
  expect(found.get('mean/output_text.rouge_l')).toMatchObject({
    value: expect.closeTo(weighted(cases, rougeL), 9),
    n_labelled: String(cases.length),
  })
})

test('answers that become worse alarm on the budget, and by a line', async () => {
  const found = await results('answers', LAST)
  expect(found.get('mean/output_text.rouge_l')!.verdict).toBe('alarm')
  const before = CASES.filter(({ day }) => day < 10)
  expect(found.get('mean/output_text.rouge_l')!.baseline_value).toBeCloseTo(
    weighted(before, rougeL),
    1,
  )
  expect(found.get('mean/output_text.chrf')).toMatchObject({
    verdict: 'alarm',
    reason: expect.stringContaining("crosses the model file's line < 0.9"),
  })
})

test('a text that is too long is left out and told; others of any kind are scored', async () => {
  expect((await results('hostile', 0)).get('mean/output_text.rouge_l')).toMatchObject({
    value: expect.closeTo((0 + 0 + 1 + 1 + 2 / 3) / 5, 9),
    n_labelled: '5',
    verdict: 'incomplete',
    reason: expect.stringContaining(
      '5 of 7 answers with a text named label are scored; 2 are longer than 10000 characters, or their text is',
    ),
  })
})

test('of many answers a draw is scored, and told', async () => {
  const exact = (await results('many', 0)).get('mean/output_text.exact_match')!
  expect(exact).toMatchObject({ n_current: '1200', n_labelled: '1000' })
  expect(exact.value! > 0.28 && exact.value! < 0.39).toBe(true)
  expect(exact.reason).toContain(
    '1000 of 1200 answers with a text named label are scored; 1000 are read, drawn by their ids',
  )
})

test('of long answers as many are scored as their bytes allow', async () => {
  const exact = (await results('many', 1)).get('mean/output_text.exact_match')!
  expect(exact).toMatchObject({ value: 1, n_current: '70', n_labelled: '55' })
  expect(exact.reason).toContain('55 of 70 answers with a text named label are scored; 55 are read')
})

test('where privacy drops the answer, each score says so', async () => {
  const found = await results('dropping', 0)
  expect([...found.values()].map(({ value, reason }) => [value, reason])).toEqual(
    Array.from({ length: 5 }, () => [null, 'privacy drops output_text, which is scored']),
  )
})

test('labels called like a score that the model asks for are left out, counted and told', async () => {
  const sentence = (n: number) =>
    `${n} labels named output_text.bleu are left out: the model file asks for a score of this name; send them under another`
  const scored = await results('named', 0)
  expect(scored.get('labels_left_out/output_text.bleu')).toMatchObject({
    value: PER_DAY,
    n_labelled: String(PER_DAY),
    verdict: 'none',
    reason: sentence(PER_DAY),
  })
  expect(scored.get('mean/output_text.bleu')!.reason).toContain(sentence(PER_DAY))
  expect(scored.get('mean/output_text.bleu')!.value).toBeGreaterThan(0)
  // A score that is not asked for is a name like any other.
  expect(scored.get('mean/output_text.rouge_l')).toMatchObject({ value: 0.5 })
  expect(scored.has('labels_left_out/output_text.rouge_l')).toBe(false)
  const unscored = await results('named', 1)
  expect(unscored.get('labels_left_out/output_text.bleu')).toMatchObject({ value: PER_DAY })
  const german = of(0, ({ country }) => country === 'DE').length
  const slice = await results('named', 0, { version: '', slice: 'DE' })
  expect(slice.get('labels_left_out/output_text.bleu')).toMatchObject({ value: german })
})
