import { expect, test } from 'vitest'
import { parseModel } from '../../../lib/models/model-files.ts'
import type { DriftQueries } from '../queries/drift-queries.ts'
import { referenceReader } from './load-reference.ts'
import type { ReferenceSpans } from '../plan/references.ts'
import { ALL } from '../data/cohort.ts'
import { noOutcomes } from '../data/window-data.ts'

const model = parseModel('model_id: m\ntask: binary\n')
const noTruth = async () => noOutcomes(1)
const spanned = (day: number): ReferenceSpans => ({
  name: `day ${day}`,
  kind: 'trailing' as const,
  baseline: false,
  revision: 1,
  spans: [{ start: day * 86_400_000, end: (day + 1) * 86_400_000 }],
})

test('what every window asks for stays, however many others come and go', async () => {
  const read: number[] = []
  // The store behind it, as far as it is asked here: how often, is the question.
  const queries = {
    counts: async (_model: string, [span]: readonly { start: number }[]) => {
      read.push(span!.start / 86_400_000)
      return { events: 1, errors: 0, duplicates: 0, numeric: new Map(), categories: new Map() }
    },
  } as unknown as DriftQueries
  const { data } = referenceReader(queries)
  const ask = (day: number) =>
    data(model, spanned(day), [], { scope: ALL, completeUntil: 0, outcomesOf: noTruth })
  for (let day = 1; day <= 1000; day++) {
    await ask(0)
    await ask(day)
  }
  expect(read.filter((day) => day === 0)).toHaveLength(1)
  // They are bounded: the first of the others is gone, the last is not.
  const before = read.length
  await ask(1000)
  expect(read).toHaveLength(before)
  await ask(1)
  expect(read).toHaveLength(before + 1)
})
