import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createAgenda } from './agenda.ts'

test('models come when they are due, the one that waits for longest first', () => {
  const step = fc.oneof(
    fc.record({ want: fc.constantFrom('a', 'b', 'c', 'd', 'e'), at: fc.nat(20) }),
    fc.record({ take: fc.nat(20) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const agenda = createAgenda()
      const naive = new Map<string, { at: number; order: number }>()
      steps.forEach((one, order) => {
        if ('want' in one) {
          agenda.want(one.want, one.at)
          if (!((naive.get(one.want)?.at ?? Infinity) <= one.at))
            naive.set(one.want, { at: one.at, order })
          return
        }
        const due = [...naive]
          .filter(([, { at }]) => at <= one.take)
          .toSorted(([, a], [, b]) => a.at - b.at || a.order - b.order)[0]
        if (due) naive.delete(due[0])
        expect(agenda.take(one.take)).toBe(due?.[0])
        expect(agenda.next()).toBe(Math.min(Infinity, ...[...naive.values()].map(({ at }) => at)))
        expect(agenda.size()).toBe(naive.size)
      })
    }),
  )
})

test('two hundred thousand models wait, and are hinted at over and over', () => {
  const agenda = createAgenda()
  for (let round = 5; round > 0; round--)
    for (let i = 0; i < 200_000; i++) agenda.want(`model-${i}`, round * 1000)
  expect(agenda.next()).toBe(1000)
  expect(agenda.size()).toBe(200_000)
  let taken = 0
  while (agenda.take(1000) !== undefined) taken++
  expect(taken).toBe(200_000)
  expect(agenda.next()).toBe(Infinity)
})
