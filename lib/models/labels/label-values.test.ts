import { expect, test } from 'vitest'
import { FlatRecord } from '../../events/flat-record.ts'
import { parseModel } from '../model-files.ts'
import { labelReader, liveLabelChecks, normalised } from './label-values.ts'

const model = (more: string) => parseModel(`{ model_id: m, task: multiclass, ${more} }`)
const classes = model('classes: ["0", "1", Fraud]')

test.each([
  [' True ', '1'],
  ['FALSE', '0'],
  ['1.0', '1'],
  ['1.50', '1.5'],
  ['-3.000', '-3'],
  ['10', '10'],
  ['100.00', '100'],
  ['007', '007'],
  ['1e3', '1e3'],
  ['12345678901234567890.0', '12345678901234567890'],
])('%j is normalised to %j', (text, plain) => {
  expect(normalised(text)).toBe(plain)
  expect(normalised(plain)).toBe(plain)
})

test.each([
  ['1', '1'],
  [1, '1'],
  [true, '1'],
  ['1.0', '1'],
  [' fraud', 'Fraud'],
  [
    ['FRAUD', '0.0'],
    ['Fraud', '0'],
  ],
])('%j is a class in the spelling of the model', (label, spelled) => {
  expect(labelReader(classes)(label)).toEqual({ ok: true, label: spelled })
})

test.each([
  ['banana', '"banana" is none'],
  [['0', 'banana'], '"banana" is none'],
  ['', '"" is none'],
  ['01', '"01" is none'],
])('%j is none of the classes, and is told so', (label, sentence) => {
  expect(labelReader(classes)(label)).toEqual({
    ok: false,
    message: `label must be one of the model's classes (0, 1, Fraud), and ${sentence}`,
  })
})

test('by an exact comparison a label is spelled as its class is', () => {
  const exact = labelReader(model('classes: ["0", "1"], labels: { compare: exact }'))
  expect([exact('1').ok, exact(1).ok, exact('1.0').ok, exact(true).ok]).toEqual([
    true,
    true,
    false,
    false,
  ])
})

test('a regression takes numbers, and nothing else', () => {
  const read = labelReader(parseModel('{ model_id: m, task: regression }'))
  expect(read(' 3.5 ')).toEqual({ ok: true, label: '3.5' })
  expect(read(-1e-3)).toEqual({ ok: true, label: -0.001 })
  for (const wrong of ['1,250.5', 'abc', '', '0x10', 'NaN', 'Infinity', '1e999', true, ['1']])
    expect([wrong, read(wrong).ok]).toEqual([wrong, false])
})

test('where no classes are declared any label is taken', () => {
  expect(labelReader(parseModel('{ model_id: m, task: binary }'))('banana').ok).toBe(true)
})

test('classes that would be one class are refused where labels are normalised', () => {
  expect(() => model('classes: ["1", "true"]')).toThrow('labels.compare must be exact')
  expect(() => model('classes: ["1", "true"], labels: { compare: exact }')).not.toThrow()
  expect(() =>
    parseModel('{ model_id: m, task: binary, labels: { compare: normalised } }'),
  ).toThrow('needs classes')
})

test('events are checked by the model files in force; what is named or taken back is not', () => {
  const models = { declared: [classes] }
  const checks = liveLabelChecks(models)
  const event = (fields: Record<string, unknown>) =>
    new FlatRecord(
      ['model_id', ...Object.keys(fields)],
      ['m', ...Object.values(fields)] as never[],
      false,
    )
  expect(checks.refusalOf(event({ label: 'banana' }))).toMatchObject({ code: 'label_mismatch' })
  expect(checks.refusalOf(event({ label: 'banana', name: 'fruit' }))).toBeUndefined()
  expect(checks.refusalOf(event({ label: 'banana', retracted: true }))).toBeUndefined()
  expect(checks.spelledOf(event({ label: '1.0' }))).toBe('1')
  expect(checks.spelledOf(event({ label: 1 }))).toBeUndefined()
  models.declared = []
  expect(checks.refusalOf(event({ label: 'banana' }))).toBeUndefined()
})
