import { expect, test } from 'vitest'
import { ConfigError } from '../../runtime/config.ts'
import { DEFAULT_CHOICE, isChosen } from './metrics-choice.ts'
import { parseModel } from '../model-files.ts'

const model = (metrics: string) => parseModel(`model_id: m\ntask: binary\nmetrics: ${metrics}`)
const problemsOf = (metrics: string) => {
  try {
    model(metrics)
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  return []
}

test('what a file leaves out has its default', () => {
  expect(parseModel('model_id: m\ntask: binary').metrics).toEqual(DEFAULT_CHOICE)
  expect(model('{}').metrics).toEqual(DEFAULT_CHOICE)
  expect(model('{ active: 0, cohorts: [versions] }').metrics).toEqual({
    active: 0,
    values: new Set(),
    cohorts: new Set(['versions']),
  })
})

test.each([
  ['*', true],
  ['drift/*', true],
  ['drift/psi', true],
  ['drift/psi/a/b', true],
  ['drift/psi/a', false],
  ['drift/ks', false],
  ['quality/*', false],
])('of drift/psi/a/b: %s chooses it: %s', (value, chosen) => {
  const result = { family: 'drift', metric: 'psi', subject: 'a/b' }
  expect(isChosen(model(`{ values: ['${value}'] }`).metrics, result)).toBe(chosen)
})

test('what names nothing is refused with the name that was probably meant', () => {
  expect(problemsOf('{ values: [drft/psi, drift/hellingr, drift, drift/*/x] }')).toEqual([
    'metrics.values.0 drft/psi names no family of metrics (drift, quality, performance, fairness, operations, feedback); did you mean drift?',
    'metrics.values.1 drift/hellingr names no metric of drift; did you mean hellinger?',
    'metrics.values.2 drift must be *, family/*, family/metric or family/metric/subject',
    'metrics.values.3 drift/*/x must be *, family/*, family/metric or family/metric/subject',
  ])
  expect(problemsOf('{ active: 1001 }')).toHaveLength(1)
  expect(problemsOf('{ cohorts: [version] }')).toHaveLength(1)
})
