import { expect, test } from 'vitest'
import { normals } from '../../../bench/streams.ts'
import { uniforms } from '../distributions/random.ts'
import { domainAuc } from './domain-classifier.ts'

const uniform = uniforms(3)
const normal = normals(uniform)
const rows = (size: number, row: () => number[]) =>
  Array.from({ length: size }, () => Float64Array.from(row()))
const independent = () => [normal(), normal(), normal()]

test('of one distribution nothing can be told', () => {
  let beyond = 0
  for (let run = 0; run < 30; run++) {
    const { auc, standardError } = domainAuc(
      rows(200, independent),
      rows(150, independent),
      uniform,
    )!
    if (Math.abs(auc - 0.5) > 2 * standardError) beyond++
  }
  expect(beyond).toBeLessThan(5)
})

test('a shifted column is told, and named', () => {
  const { auc, importance } = domainAuc(
    rows(300, independent),
    rows(300, () => [normal(), normal() + 1.5, normal()]),
    uniform,
  )!
  expect(auc).toBeGreaterThan(0.8)
  expect(importance[1]).toBeGreaterThan(0.5)
  expect(importance.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 9)
})

test('columns that only hang together differently are told, although none of them has moved', () => {
  const together = () => {
    const [x, y] = [normal(), normal()]
    return [x, 0.9 * x + Math.sqrt(1 - 0.81) * y, normal()]
  }
  const { auc, importance } = domainAuc(rows(400, independent), rows(400, together), uniform)!
  expect(auc).toBeGreaterThan(0.65)
  expect(importance[2]).toBeLessThan(Math.min(importance[0]!, importance[1]!))
})

test('missing values are values; the same draws give the same answer; too little is undefined', () => {
  const gaps = () => [normal(), uniform() < 0.4 ? NaN : normal()]
  const full = rows(200, () => [normal(), normal()])
  const gappy = rows(200, gaps)
  const once = domainAuc(full, gappy, uniforms(9))!
  expect(once.auc).toBeGreaterThan(0.6)
  expect(domainAuc(full, gappy, uniforms(9))).toEqual(once)
  expect(domainAuc(full.slice(0, 4), gappy, uniform)).toBeUndefined()
  const constant = rows(50, () => [1])
  expect(domainAuc(constant, constant, uniform)).toMatchObject({ auc: 0.5, importance: [0] })
})
