/** A source reads what it names of S3, and nothing beside it. */
import { expect, test } from 'vitest'
import { accessOf, refusalOf, refusalOfObject, s3Problems, type S3Settings } from './s3-access.ts'

const s3: S3Settings = {
  endpoint: 'https://s3.example',
  allow: ['exports/fraud', 'raw'],
  access_key_id: 'secret://env/KEY',
  secret_access_key: 'secret://env/SECRET',
}

test.each([
  's3://exports/fraud/*.parquet',
  's3://exports/fraud/2026-*/**.parquet',
  's3://exports/fraud/a b/day=1/x.json.gz',
  's3://raw/*',
])('%s is within what is allowed', (pattern) => expect(refusalOf(pattern, s3)).toBeUndefined())

test.each([
  ['s3://exports/fraudulent/x.parquet', 'is not within what the source allows'],
  ['s3://exports/*', 'is not within what the source allows'],
  ['s3://exports/f*/x', 'is not within what the source allows'],
  ['s3://other/fraud/x', 'is not within what the source allows'],
  ['s3://raw', 'is not within what the source allows'],
  ['s3://exports/fraud/../salaries/x', 'has a part ".."'],
  ['s3://exports/fraud/./x', 'has a part "."'],
  ['s3://exports/fraud//x', 'has a part ""'],
  ['s3://exports/fraud/{a,b}', 'has a part "{a,b}"'],
  ['s3://exports/fraud/x%2e', 'has a part "x%2e"'],
  ["s3://exports/fraud/x\\'", 'has a part'],
  ['s3://*/x', 'names no bucket'],
  ['s3://Exports/x', 'names no bucket'],
  ['s3://', 'names no bucket'],
])('%s is not listed', (pattern, why) => expect(refusalOf(pattern, s3)).toContain(why))

test('an object that an endpoint lists beside the pattern is not read', () => {
  expect(refusalOfObject('exports/fraud/x.parquet', s3)).toBeUndefined()
  expect(refusalOfObject('salaries/x.parquet', s3)).toContain('is not within')
  expect(refusalOfObject('exports/fraud/x*.parquet', s3)).toContain('has a part')
})

test('what is wrong with a section is told, each in a sentence', () => {
  expect(s3Problems({ s3, files: 's3://exports/fraud/*' })).toEqual([])
  expect(s3Problems({ files: 's3://exports/*' })).toEqual([
    's3 must say whose objects files names: its endpoint, and what is allowed',
  ])
  const { secret_access_key: _, ...half } = s3
  expect(s3Problems({ s3: { ...half, session_token: 'secret://env/PLUMBLINE_KEY' } })).toEqual([
    's3: secret://env/PLUMBLINE_KEY is a setting of Plumbline, and is not sent out',
    's3 must have access_key_id and secret_access_key, or neither',
  ])
  const token = { endpoint: s3.endpoint, allow: s3.allow, session_token: 'secret://env/T' }
  expect(s3Problems({ s3: token })).toEqual(['s3.session_token goes with access_key_id'])
  expect(s3Problems({ s3: { ...s3, allow: ['Raw', 'raw/../x'] }, files: 's3://raw/x' })).toEqual([
    's3.allow Raw names no bucket: small letters, digits, hyphens and points',
    expect.stringContaining('s3.allow raw/../x has a part ".."'),
    expect.stringContaining('files s3://raw/x is not within'),
  ])
})

test('credentials are read of the environment, and one that is not set is named', () => {
  const environment = (name: string) => ({ KEY: 'id', SECRET: 's' })[name]
  expect(accessOf(s3, environment)).toEqual({
    endpoint: 'https://s3.example',
    key: { id: 'id', secret: 's', sessionToken: undefined },
  })
  expect(() => accessOf({ ...s3, session_token: 'secret://env/T' }, environment)).toThrow(
    'secret://env/T is not set',
  )
  expect(accessOf({ endpoint: s3.endpoint, allow: [] }, environment).key).toBeUndefined()
})
