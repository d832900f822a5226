import { expect, test } from 'vitest'
import { isReadersFunction } from './allowed-functions.ts'
import { whyNotExplained, whyRefused } from './check-statement.ts'
import { treeOf } from './syntax-tree.ts'
import { withParams } from './words.ts'

const SELECT = (node: string) => [
  'SelectWithUnionQuery (children 1)',
  ' ExpressionList (children 1)',
  '  SelectQuery (children 1)',
  '   ExpressionList (children 1)',
  `    ${node}`,
]

test('a dump whose lines do not make up a tree is refused', () => {
  expect(whyRefused('SELECT x', SELECT('Identifier x'))).toBeUndefined()
  for (const lines of [
    [...SELECT('Identifier x'), 'SelectQuery'],
    [...SELECT('Identifier x'), '    Literal 1'],
    SELECT('Identifier x (children 2)'),
    SELECT('Identifier x').slice(1),
    [],
  ])
    expect(treeOf(lines)).toBeUndefined()
})

test('each unlisted thing is named', () => {
  expect(whyRefused('SELECT x', SELECT('Function file (alias count)'))).toContain('file')
  expect(whyRefused('SELECT x', SELECT('Identifier system.users'))).toContain('system.users')
  expect(whyRefused('SELECT x', SELECT('Unheard x'))).toContain('Unheard')
  expect(
    whyRefused('SELECT x', [...SELECT('Identifier x')].with(0, 'DropQuery (children 1)')),
  ).toContain('DropQuery')
  expect(whyNotExplained('SELECT 1; SELECT 2')).toContain(';')
  expect(whyNotExplained("SELECT ';'")).toBeUndefined()
  expect(whyNotExplained('SELECT `a\\nb`')).toContain('control characters')
  expect(whyNotExplained('SELECT 1\u0001')).toContain('cannot be read')
  expect(whyNotExplained('SELECT 1 SETTINGS max_threads = 1, readonly = 0')).toContain('readonly')
})

test('parameters become literals and quoted names, never words', () => {
  const values = new Map([
    ['x', "1'); DROP TABLE t; --"],
    ['t', 'a`; DROP TABLE t'],
    ['n', '\\N'],
  ])
  expect(withParams("SELECT {x:String}, '{x:String}'", values).sql).toBe(
    "SELECT CAST('1\\'); DROP TABLE t; --', 'String'), '{x:String}'",
  )
  expect(withParams('SELECT 1 FROM {t:Identifier}', values).sql).toBe(
    'SELECT 1 FROM `a\\`; DROP TABLE t`',
  )
  expect(withParams('SELECT {n:Nullable(String)}', values).sql).toBe(
    "SELECT CAST(NULL, 'Nullable(String)')",
  )
  expect(withParams('SELECT {y:String}', values).missing).toBe('y')
})

test('aggregates with their combinators, and nothing that ends like one', () => {
  for (const name of ['count', 'COUNT', 'sumIf', 'quantilesTDigestArrayIf', 'uniqMergeState'])
    expect(isReadersFunction(name)).toBe(true)
  for (const name of ['file', 'fileIf', 'sleep', 'dictGet', '', 'dictGetOrNull'])
    expect(isReadersFunction(name)).toBe(false)
})
