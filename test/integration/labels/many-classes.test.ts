/** Models of very many classes: every measure is of all cases, whatever is read one by one. */
import { beforeAll, expect, test } from 'vitest'
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import { parseModel } from '../../../lib/models/model-files.ts'
import { readOutcomes } from '../../../services/drift/queries/outcomes/read-outcomes.ts'
import { measuresOf } from '../../../services/drift/evaluate/measures/performance-measures.ts'
import { migratedClickHouse } from '../../harness.ts'

/** Truth of `classes` classes: `n` cases, two thirds of them right. */
const truthOf = (classes: number, n: number) => ({
  source: `(SELECT toString(number % ${classes}) AS label, if(number % 3 = 0, toString(intHash32(number) % ${classes}), label) AS predicted,
     1. AS weight, NULL::Nullable(Float64) AS inclusion_probability, NULL::Nullable(Float64) AS score, toDateTime64('2026-01-01 00:00:00', 3, 'UTC') AS predicted_at, predicted_at AS received, NULL::Nullable(Float64) AS loss, NULL::Nullable(Float64) AS square,
     NULL::Nullable(Float64) AS error, toFloat64OrNull(label) AS label_number FROM numbers(${n}))`,
  params: {},
})

let db: ClickHouse
beforeAll(async () => {
  ;({ db } = await migratedClickHouse())
})

test.each([
  { classes: 200, n: 300_000 },
  { classes: 6000, n: 300_000 },
])('$classes classes', async ({ classes, n }) => {
  const truth = truthOf(classes, n)
  const model = parseModel('{ model_id: m, task: multiclass }')
  const outcomes = await readOutcomes(db, model, n, truth)
  const [{ right } = { right: '' }] = await db.query<{ right: string }>(
    `SELECT countIf(predicted = label) AS right FROM ${truth.source}`,
  )
  const measures = measuresOf(outcomes, { positiveClass: '1', binary: false })
  const of = (metric: string) => measures.find((one) => one.metric === metric && !one.subject)
  expect(of('accuracy')).toMatchObject({ n, successes: Number(right) })
  if (classes <= 5000) {
    const [exact] = await db.query<{ f1: number }>(
      `SELECT avg(2 * tp / (truly + guessed)) AS f1 FROM (SELECT label, count() AS truly, countIf(predicted = label) AS tp FROM ${truth.source} GROUP BY label) AS t
       JOIN (SELECT predicted AS label, count() AS guessed FROM ${truth.source} GROUP BY predicted) AS p USING (label)`,
    )
    expect(of('macro_f1')!.value).toBeCloseTo(exact!.f1, 9)
    expect(of('macro_f1')!.standardError).toBeGreaterThan(0)
    expect(of('macro_f1')!.note).toContain('too many pairs')
  } else expect(of('macro_f1')).toBeUndefined()
})
