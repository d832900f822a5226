import { expect, test } from 'vitest'
import { parseModel } from '../../../../lib/models/model-files.ts'
import type { DatasetBody } from '../../../../schemas/http/labels/datasets.ts'
import { chosenColumns, withheldFrom } from './columns.ts'
import { predicateOf, readQuestion, requireSeen } from './question.ts'

const NOW = Date.UTC(2026, 1, 1)
const MODEL = parseModel(`
model_id: m
task: binary
cohorts: { where: { large: amount > 50 and country = 'DE' } }
privacy: { withhold: [salary, attributes.religion, input_text] }
`)
const BODY: DatasetBody = {
  model_id: 'm',
  from: '2026-01-01T01:00:00+01:00',
  to: '2026-02-01T00:00:00Z',
  label: 'label',
  rows: 'labelled',
  format: 'csv',
}

test('times are told in UTC, and nothing is known later than now', () =>
  expect(readQuestion({ ...BODY, actor: 'ann' }, MODEL, NOW)).toEqual({
    ...BODY,
    from: '2026-01-01T00:00:00.000Z',
    to: '2026-02-01T00:00:00.000Z',
    as_of: '2026-02-01T00:00:00.000Z',
  }))

const PAIRS = { rule: 'higher_label' as const, order: [], margin: 0 }
test.each<[Partial<DatasetBody>, string]>([
  [{ from: 'yesterday' }, 'from must be an RFC 3339 time'],
  [{ to: BODY.from }, 'from must be before to'],
  [{ as_of: '2026-02-01T00:00:01Z' }, 'as_of must not be still to come'],
  [{ cohort: 'lage' }, 'did you mean large?'],
  [{ where: 'amount >' }, 'where: '],
  [{ where: '@scor > 1' }, 'where: @scor is none of'],
  [{ pairs: PAIRS }, 'pairs is of the format pairs alone'],
  [{ format: 'pairs' }, 'needs pairs.rule'],
  [{ format: 'pairs', pairs: PAIRS, columns: ['score'] }, 'columns is not'],
  [{ format: 'pairs', pairs: PAIRS, rows: 'all' }, 'labelled rows'],
])('%j is refused with the field and the rule', (more, message) =>
  expect(() => readQuestion({ ...BODY, ...more }, MODEL, NOW)).toThrow(message),
)

test('what is withheld may not be asked by, whichever way it is named', () => {
  const isWithheld = withheldFrom(false, MODEL.privacy!.withhold)
  const seen = (where: string) => requireSeen(predicateOf({ where }, MODEL), isWithheld)
  for (const name of ['salary', 'religion'])
    expect(() => seen(`x = 1 or not ${name} is missing`)).toThrow(name)
  expect(() => seen('amount > 1 and @score > 0.5')).not.toThrow()
  expect(() =>
    requireSeen(predicateOf({ where: 'salary > 1' }, MODEL), withheldFrom(true, ['salary'])),
  ).not.toThrow()
})

const FOUND = {
  features: [
    { name: 'features.salary', type: 'number' },
    { name: 'features.religion', type: 'text' },
    { name: 'features.a.b', type: 'boolean' },
  ] as const,
  attributes: ['religion', 'sex'],
}
const namesOf = (asked: readonly string[] | undefined, isAdmin: boolean) => {
  const { columns, withheld } = chosenColumns(
    asked,
    FOUND,
    withheldFrom(isAdmin, MODEL.privacy!.withhold),
  )
  return { columns: columns.map(({ name }) => name), withheld }
}

test('columns are a positive list, less what the caller may not see', () => {
  expect(namesOf(['features', 'attributes.religion', 'input_text', 'subject_id'], false)).toEqual({
    columns: ['prediction_id', 'features.religion', 'features.a.b'],
    withheld: ['subject_id', 'input_text', 'features.salary', 'attributes.religion'],
  })
  expect(namesOf(['features', 'subject_id'], true).columns).toContain('features.salary')
  const { columns } = namesOf(undefined, true)
  expect(columns).toContain('weight')
  expect(columns).not.toContain('output_text')
  expect(columns).not.toContain('subject_id')
  expect(() => namesOf(['features.salry'], true)).toThrow('did you mean features.salary?')
  expect(() => namesOf(['scores'], true)).toThrow('did you mean score?')
})
