import { expect, test } from 'vitest'
import { csvHead, csvLine } from './csv.ts'

const COLUMNS = [
  { name: 'id', type: 'text' },
  { name: 'a,"b', type: 'text' },
  { name: 'n', type: 'number' },
  { name: '=x', type: 'boolean' },
] as const

test('names are quoted where they must be, and none of them runs', () =>
  expect(csvHead(COLUMNS)).toBe('id,"a,""b",n,\'=x\r\n'))

test.each([
  ['=HYPERLINK("http://x")', '"\'=HYPERLINK(""http://x"")"'],
  ['+1', "'+1"],
  ['-1', "'-1"],
  ['@SUM(1)', "'@SUM(1)"],
  ['\t=1', "'\t=1"],
  ['\r=1', '"\'\r=1"'],
])('the text %j is harmless to a spreadsheet, and counted', (text, written) =>
  expect(csvLine([text, '', -1.5, true], COLUMNS)).toEqual({
    line: `${written},"",-1.5,true\r\n`,
    defused: 1,
  }),
)

test.each([
  ['a\nb', '"a\nb"'],
  [' a', '" a"'],
  ['a=1', 'a=1'],
  ["'=1", "'=1"],
])('the text %j is written as %j and not changed', (text, written) =>
  expect(csvLine([text, null, null, null], COLUMNS)).toEqual({
    line: `${written},,,\r\n`,
    defused: 0,
  }),
)
