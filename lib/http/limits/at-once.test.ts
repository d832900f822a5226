/** So much is done beside one another, and no more. */
import { expect, test } from 'vitest'
import { atOnce } from './at-once.ts'

test('what comes beyond the bound is refused at once, with when to ask again', async () => {
  const inTurn = atOnce(2, 'files are being written', 7)
  const first = Promise.withResolvers<string>()
  const second = Promise.withResolvers<string>()
  const done = [inTurn(() => first.promise), inTurn(() => second.promise)]
  await expect(inTurn(async () => 'third')).rejects.toMatchObject({
    ...{ status: 429, code: 'overloaded', message: '2 files are being written: ask again' },
    headers: { 'retry-after': '7' },
  })
  first.resolve('first')
  expect(await done[0]).toBe('first')
  expect(await inTurn(async () => 'fourth')).toBe('fourth')
  second.resolve('second')
  expect(await done[1]).toBe('second')
})

test('work that fails gives its place back', async () => {
  const inTurn = atOnce(1, 'files are being written', 1)
  for (let i = 0; i < 3; i++)
    await expect(inTurn(() => Promise.reject(new Error('disk')))).rejects.toThrow('disk')
  expect(await inTurn(async () => 1)).toBe(1)
})
