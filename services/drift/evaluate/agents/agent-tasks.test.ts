/** Numbers of tasks: their intervals, and what is left out. */
import { expect, test } from 'vitest'
import { evaluateTasks } from './agent-tasks.ts'

const tasks = {
  steps: { n: 100, mean: 4, standardDeviation: 2 },
  cost: { n: 0, mean: 0, standardDeviation: 0 },
  toolCalls: 200,
  toolErrors: 10,
  loops: 3,
}

test('means and shares have intervals, and what no task has is left out', () => {
  const results = evaluateTasks(tasks)
  expect(results.map(({ metric, value, n_current }) => [metric, value, n_current])).toEqual([
    ['steps_per_task', 4, 100],
    ['tool_error_ratio', 0.05, 200],
    ['loop_ratio', 0.03, 100],
  ])
  // 4 ± 1.959964 · 2 / 10.
  expect(results[0]!.ci_low).toBeCloseTo(3.6080072, 6)
  expect(results[0]!.ci_high).toBeCloseTo(4.3919928, 6)
  expect(results[2]!.reason).toBe('3 of 100 tasks called one tool with one input 3 times or more')
})

test('without tools there are neither errors of tools nor loops; of one task there is no interval', () => {
  const results = evaluateTasks({
    ...tasks,
    steps: { n: 1, mean: 2, standardDeviation: 0 },
    cost: { n: 1, mean: 0.5, standardDeviation: 0 },
    toolCalls: 0,
  })
  expect(results.map(({ metric, ci_low }) => [metric, ci_low])).toEqual([
    ['steps_per_task', null],
    ['cost_per_task_usd', null],
  ])
})
