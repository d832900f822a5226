/**
 * Truth of a sampled stream: an event drawn with probability 1/k says what k events like it would
 * say.
 */
import { beforeAll, expect, test } from 'vitest'
import { parseModel, type Model } from '../../../lib/models/model-files.ts'
import { uniforms } from '../../../lib/stats/distributions/random.ts'
import { measuresOf } from '../../../services/drift/evaluate/measures/performance-measures.ts'
import { driftQueries } from '../../../services/drift/queries/drift-queries.ts'
import { ALL } from '../../../services/drift/data/cohort.ts'
import type { OutcomeCounts } from '../../../services/drift/data/window-data.ts'
import { evaluateOn } from '../../evaluating.ts'
import { pipeline, type Pipeline } from '../../pipeline.ts'

const DAY = 86_400_000
const START = Date.UTC(2026, 0, 1)
const EVENTS = 1500
const uniform = uniforms(31)
let on: Pipeline

const TASKS = ['binary', 'regression', 'ranking'] as const
/** Items of a ranking; a ranking is drawn as a whole. */
const ITEMS = 6

const modelOf = (id: string, task: string) =>
  parseModel(`
model_id: ${id}
task: ${task}
windows: { size: 1d, lateness: 1h, min_count: 100 }
labels: { horizon: 1h }
fairness: { attributes: { sex: { privileged: m } } }
`)
const MODELS = Object.fromEntries(
  TASKS.flatMap((task) =>
    ['drawn', 'copied'].map((kind) => [`${kind}_${task}`, modelOf(`${kind}_${task}`, task)]),
  ),
) as Record<string, Model>

/** What is drawn seldom is what the model is bad at, so that weights matter. */
const cases = Array.from({ length: EVENTS }, () => {
  const score = uniform()
  const copies = [1, 4, 20][Math.floor(3 * score)]!
  const isRight = uniform() < [0.95, 0.8, 0.6][Math.floor(3 * score)]!
  const guess = score > 0.5 ? '1' : '0'
  const amount = 100 * score
  return {
    copies,
    sex: uniform() < 0.4 ? 'f' : 'm',
    binary: { event: { score, prediction: guess }, label: isRight === (guess === '1') ? '1' : '0' },
    regression: {
      event: { prediction: amount, quantiles: { '0.1': amount - 2, '0.9': amount + 2 } },
      label: amount + copies * (uniform() - 0.3),
    },
    ranking: { event: { score }, label: isRight ? '0' : '1' },
  }
})

async function emit(task: (typeof TASKS)[number], kind: 'drawn' | 'copied') {
  const model_id = `${kind}_${task}`
  const all = cases.flatMap(({ copies: own, sex, [task]: { event, label } }, i) => {
    const ranking = Math.floor(i / ITEMS)
    const copies = task === 'ranking' ? cases[ranking]!.copies : own
    return Array.from({ length: kind === 'copied' ? copies : 1 }, (_, k) => ({
      event: {
        prediction_id: `${i}-${k}`,
        model_id,
        model_version: '1',
        predicted_at: new Date(START + i * 1000).toISOString(),
        attributes: { sex },
        ...event,
        ...(task === 'ranking' && { group_id: `${ranking}-${k}` }),
        ...(kind === 'drawn' && { sampling_fraction: 1 / copies }),
      },
      label: {
        label_id: `${i}-${k}`,
        model_id,
        prediction_id: `${i}-${k}`,
        label,
        labelled_at: new Date(START + DAY).toISOString(),
        source: 'ground_truth',
      },
    }))
  })
  await on.predictions(all.map(({ event }) => event))
  await on.labels(all.map(({ label }) => label))
}

beforeAll(async () => {
  on = await pipeline()
  for (const task of TASKS) for (const kind of ['drawn', 'copied'] as const) await emit(task, kind)
})

const SPAN = [{ start: START, end: START + DAY }]
const total = cases.reduce((sum, { copies }) => sum + copies, 0)
const kish = total ** 2 / cases.reduce((sum, { copies }) => sum + copies ** 2, 0)

const outcomesOf = (name: string): Promise<OutcomeCounts> =>
  driftQueries(on.db).outcomes(MODELS[name]!, SPAN, ALL, {
    predictions: EVENTS,
    completeUntil: START + 9 * DAY,
  })
const valuesOf = (outcomes: OutcomeCounts) =>
  Object.fromEntries(
    measuresOf(outcomes, { positiveClass: '1', binary: true }).map(({ metric, value }) => [
      metric,
      value,
    ]),
  )

test.each(['binary', 'regression'])('%s: every number is that of the copies', async (task) => {
  const [drawn, copied] = [await outcomesOf(`drawn_${task}`), await outcomesOf(`copied_${task}`)]
  expect(drawn.labelled).toBe(EVENTS)
  expect(drawn.effective).toBeCloseTo(kish, 6)
  expect(copied).toMatchObject({ labelled: total })
  expect(copied.effective).toBeUndefined()
  // The tenth with the highest scores ends within one of the copies.
  const { lift, ...found } = valuesOf(drawn)
  const { lift: expected, ...others } = valuesOf(copied)
  expect(Object.keys(found)).toEqual(Object.keys(others))
  expect(Object.keys(found).length).toBeGreaterThan(4)
  for (const [metric, value] of Object.entries(others))
    expect({ metric, value: found[metric] }).toEqual({ metric, value: expect.closeTo(value, 9) })
  if (task === 'binary') expect(lift).toBeCloseTo(expected!, 2)
  // Weights matter: each event once says something else.
  const main = task === 'binary' ? 'accuracy' : 'mae'
  const once = cases.filter(({ binary: { event, label } }) => event.prediction === label).length
  if (task === 'binary') expect(Math.abs(found[main]! - once / EVENTS)).toBeGreaterThan(0.05)
})

test('of rankings, each drawn as a whole, too', async () => {
  const found = valuesOf(await outcomesOf('drawn_ranking'))
  const others = valuesOf(await outcomesOf('copied_ranking'))
  expect(Object.keys(others)).toEqual(['ndcg_at_k', 'hit_rate_at_k', 'mrr'])
  for (const [metric, value] of Object.entries(others))
    expect({ metric, value: found[metric] }).toEqual({ metric, value: expect.closeTo(value, 9) })
  const { ranking } = await outcomesOf('drawn_ranking')
  // Kish's number of them, not how many came.
  const weights = cases.slice(0, EVENTS / ITEMS).map(({ copies }) => copies)
  const sum = weights.reduce((a, b) => a + b, 0)
  const squares = weights.reduce((a, b) => a + b * b, 0)
  expect(ranking!.n).toBeLessThan((1.2 * sum ** 2) / squares)
})

test('groups, and scores by their bins', async () => {
  const read = driftQueries(on.db)
  const [drawn, copied] = ['drawn_binary', 'copied_binary'].map((name) => MODELS[name]!) as [
    Model,
    Model,
  ]
  const until = START + 9 * DAY
  const groups = await read.groups(
    { model: drawn, spans: SPAN, c: ALL, completeUntil: until },
    'sex',
  )
  const whole = await read.groups(
    { model: copied, spans: SPAN, c: ALL, completeUntil: until },
    'sex',
  )
  expect(groups.map(({ group }) => group)).toEqual(['m', 'f'])
  for (const [i, group] of groups.entries()) {
    const other = whole[i]!
    const share = other.predictions / group.predictions
    for (const count of [
      'favorable',
      'favorableLabels',
      'favorableHits',
      'tp',
      'fp',
      'fn',
      'tn',
    ] as const)
      expect({ count, n: group[count] * share }).toEqual({
        count,
        n: expect.closeTo(other[count], 6),
      })
    expect(group.feedback!.labelled).toBeCloseTo(group.predictions, 6)
  }
  const bins = await read.scores(drawn, SPAN, ALL, until)
  const wholeBins = await read.scores(copied, SPAN, ALL, until)
  const factor = total / kish
  bins.labelled.forEach((bin, i) => {
    const other = wholeBins.labelled[i]!
    expect(bin.bin).toBe(other.bin)
    for (const sum of ['n', 'positives', 'scores'] as const)
      expect(bin[sum] * factor).toBeCloseTo(other[sum], 6)
  })
})

test('results say how much they rest on, and their intervals are as wide', async () => {
  const told = async (name: string) => {
    await evaluateOn(on.connect('drift'), { now: () => START + 100 * DAY })(MODELS[name]!)
    const [row] = await on.db.query<{
      value: number
      ci_low: number
      ci_high: number
      n_labelled: string
      n_effective: number | null
    }>(
      `SELECT value, ci_low, ci_high, n_labelled, n_effective FROM window_metrics_latest
       WHERE model_id = {name:String} AND metric = 'accuracy' AND method = 'observed' AND subject = ''`,
      { name },
    )
    return row!
  }
  const [drawn, copied] = [await told('drawn_binary'), await told('copied_binary')]
  expect(drawn).toMatchObject({ n_labelled: String(EVENTS), n_effective: expect.closeTo(kish, 3) })
  expect(copied.n_effective).toBeNull()
  const width = (row: typeof drawn) => row.ci_high - row.ci_low
  expect(width(drawn) / width(copied)).toBeCloseTo(Math.sqrt(total / kish), 0)
})
