import { expect, test } from 'vitest'
import {
  filledHeaders,
  LAUNCH_NAMES,
  templateProblems,
  type LaunchValues,
} from './launch-templates.ts'

test.each([
  [{ 'x-run': '{{runid}}' }, 'names {{runid}}; did you mean run_id?'],
  [{ 'Webhook-Signature': 'x' }, 'set by Plumbline itself'],
  [{ 'a b': 'x' }, 'not the name of a header'],
  [{ a: 'x\ny' }, 'printable characters'],
  [{ a: 'secret://vault/x' }, 'must be written secret://env/NAME'],
  [{ a: 'secret://env/PLUMBLINE_POSTGRES_URL' }, 'is not sent out'],
])('%j is refused', (headers, wanted) => {
  const problems = templateProblems(headers as Record<string, string>, undefined)
  expect(problems).toHaveLength(1)
  expect(problems[0]).toContain(wanted)
})

test('a body names what a run has, and holds no secret', () => {
  expect(templateProblems({}, { a: [{ b: '{{status_url}} {{ reason }}' }, 1] })).toEqual([])
  expect(templateProblems({}, { a: ['{{modelid}}'] })[0]).toContain('did you mean model_id?')
  expect(templateProblems({}, { a: 'secret://env/TOKEN' })[0]).toContain('use a header')
})

test('a value of a run that looks like a secret or a place stays what it is', () => {
  const values = Object.fromEntries(LAUNCH_NAMES.map((name) => [name, name])) as LaunchValues
  const headers = filledHeaders(
    { a: '{{reason}} secret://env/TOKEN', b: '{{model_id}}' },
    { ...values, reason: 'secret://env/TOKEN {{run_id}}', model_id: 'a\r\nb: c' },
    () => ' s3cret\n',
  )
  expect(headers).toEqual({ a: 'secret://env/TOKEN {{run_id}} s3cret', b: 'a??b: c' })
})
