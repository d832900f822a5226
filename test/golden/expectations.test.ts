/** `npm run expectations` on what the packages themselves write (versions.json says which). */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { parseModel } from '../../lib/models/model-files.ts'
import { sectionOf } from '../../scripts/expectations.ts'

const file = (name: string) =>
  readFileSync(new URL(`expectations/${name}`, import.meta.url), 'utf8')
const notes = (section: string) =>
  section.split('\n').flatMap((line) => (line.startsWith('#') ? [line.slice(18)] : []))
/** The rules as a model file reads them. */
const rulesOf = (section: string) =>
  parseModel(`model_id: m\ntask: binary\n${section}`).expectations.map(
    ({ says, tolerance, severity }) => [says, tolerance, severity] as const,
  )

test('a suite of Great Expectations', () => {
  const section = sectionOf('great-expectations', file('great-expectations.json'))
  expect(rulesOf(section)).toEqual([
    ['amount is present', 0.01, 'alarm'],
    ['amount is at most 100000, is above 0', 0, 'alarm'],
    ['country is one of DE, FR', 0, 'alarm'],
    ['age is a whole number', 0, 'alarm'],
    ['iban matches ^[A-Z]{2}[0-9]{2}', 0, 'alarm'],
    ['iban has at least 15 characters, has at most 34 characters', 0, 'alarm'],
    ['code has at least 4 characters, has at most 4 characters', 0, 'alarm'],
    ['"finish" >= "begin"', 0, 'alarm'],
    ['"a" = "b"', 0, 'alarm'],
  ])
  expect(notes(section).map((note) => note.split(/[(:]/)[0])).toEqual([
    'expect_column_mean_to_be_between',
    'expect_column_to_exist',
    'expect_table_row_count_to_be_between',
    'free',
  ])
})

test('a schema of pandera, as JSON and as YAML', () => {
  const section = sectionOf('pandera', file('pandera.yaml'))
  expect(sectionOf('pandera', file('pandera.json'))).toBe(section)
  expect(rulesOf(section).map(([says]) => says)).toEqual([
    'amount is present, is a number, is at least 0, is below 1000',
    'age is a whole number, is from 18 to 120',
    'country is present, is text, is one of DE, FR',
    'iban is present, is text, has at least 15 characters, has at most 34 characters, matches ^(?:[A-Z]{2})',
    'flag is a boolean',
    'note is text, matches ^x\\.',
    'odd is present, is a number',
  ])
  expect(notes(section)).toEqual([
    'odd: checks of its own, which pandera does not write out',
    'odd: unique true',
  ])
})

test('a JSON Schema of pydantic', () => {
  const section = sectionOf('json-schema', file('json-schema.json'))
  expect(rulesOf(section).map(([says]) => says)).toEqual([
    'amount is present, is a number, is at most 100000, is above 0',
    'age is a whole number, is at least 18',
    'country is present, is text, is one of DE, FR',
    'iban is present, is text, has at least 15 characters, has at most 34 characters, matches ^[A-Z]{2}',
    'flag is a boolean',
    'steps is a whole number',
  ])
  expect(notes(section)).toEqual([
    'steps: multipleOf 5',
    'tags: items {"type":"string"}',
    'tags: type "array"',
  ])
})

/** Constraints in the form of AWS' page on constraints.json; their container is not run here. */
const CONSTRAINTS = {
  version: 0,
  features: [
    {
      name: 'amount',
      inferred_type: 'Fractional',
      completeness: 0.98,
      num_constraints: { is_non_negative: true },
    },
    {
      name: 'country',
      inferred_type: 'String',
      completeness: 1,
      string_constraints: { domains: ['DE', 'FR'] },
    },
    { name: 'odd', inferred_type: 'Unknown', completeness: 0 },
  ],
  monitoring_config: {
    evaluate_constraints: 'Enabled',
    datatype_check_threshold: 1,
    domain_content_threshold: 0.9,
    distribution_constraints: { comparison_threshold: 0.1 },
  },
}

test('constraints.json of SageMaker', () => {
  const section = sectionOf('sagemaker', JSON.stringify(CONSTRAINTS))
  expect(rulesOf(section)).toEqual([
    ['amount is a number', 0, 'alarm'],
    ['amount is present', 0.02, 'alarm'],
    ['amount is at least 0', 0, 'alarm'],
    ['country is text', 0, 'alarm'],
    ['country is present', 0, 'alarm'],
    ['country is one of DE, FR', 0.1, 'alarm'],
  ])
  expect(notes(section).map((note) => note.split(':')[0])).toEqual([
    'monitoring_config.distribution_constraints',
    'odd',
  ])
})

test('what is no such file is told', () => {
  expect(() => sectionOf('panderas', '{}')).toThrow('did you mean pandera?')
  expect(() => sectionOf('sagemaker', '{"features": []}')).toThrow('no expectations of sagemaker')
  expect(parse(sectionOf('json-schema', '{"properties":{"a":{"type":"number"}}}'))).toEqual({
    expectations: [{ feature: 'a', type: 'number' }],
  })
})
