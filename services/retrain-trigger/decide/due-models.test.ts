import { expect, test } from 'vitest'
import { dueModels } from './due-models.ts'

const revisions = (of: Record<string, number>) => new Map(Object.entries(of))

test('a model is asked when it has news, and not again', () => {
  const due = dueModels()
  due.found(revisions({ a: 1, b: 1 }))
  expect(due.take()).toEqual(['a', 'b'])
  due.answered('a')
  due.answered('b')
  due.found(revisions({ a: 1, b: 2 }))
  expect(due.take()).toEqual(['b'])
})

test('a model whose policies have not all answered is asked at every look', () => {
  const due = dueModels()
  for (let look = 0; look < 3; look++) {
    due.found(revisions({ a: 1 }))
    expect(due.take()).toEqual(['a'])
  }
  due.answered('a')
  due.found(revisions({ a: 1 }))
  expect(due.take()).toEqual([])
  expect(due.isIdle()).toBe(true)
})

test('windows that are evaluated while a model is asked are news', () => {
  const due = dueModels()
  due.found(revisions({ a: 1 }))
  due.take()
  due.found(revisions({ a: 2 }))
  due.answered('a')
  due.found(revisions({ a: 2 }))
  expect(due.take()).toEqual(['a'])
})

test('a model that is named is asked, known or not', () => {
  const due = dueModels()
  due.want('a')
  due.want('a')
  expect(due.isIdle()).toBe(false)
  expect(due.take()).toEqual(['a'])
  due.answered('a')
  due.found(revisions({ a: 1 }))
  expect(due.take()).toEqual(['a'])
})
