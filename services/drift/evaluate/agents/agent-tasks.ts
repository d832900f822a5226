/** Steps, tool errors, loops and cost of an application’s tasks in a window. Pure. */
import { normalQuantile } from '../../../../lib/stats/distributions/normal-quantile.ts'
import { wilson } from '../../../../lib/stats/intervals/proportions.ts'
import { LOOP_CALLS, type AgentTasks, type Moments } from '../../data/agents/agent-tasks.ts'
import { metricResult, type MetricResult } from '../../data/metric-results.ts'

/** Share of what the family operations of a language model may alarm by chance that tasks take. */
export const TASKS_SHARE = 0.3

const CI_LEVEL = 0.95

/**
 * Numbers of a window's tasks: `steps_per_task`, `cost_per_task_usd` (means, with the interval of
 * the normal approximation from two tasks on), `tool_error_ratio` and `loop_ratio` (Wilson). What no
 * task has is left out.
 */
export function evaluateTasks({
  steps,
  cost,
  toolCalls,
  toolErrors,
  loops,
}: AgentTasks): MetricResult[] {
  return [
    meanOf('steps_per_task', steps),
    ...(cost.n > 0 ? [meanOf('cost_per_task_usd', cost)] : []),
    ...(toolCalls > 0 ? [shareOf('tool_error_ratio', toolErrors, toolCalls)] : []),
    ...(toolCalls > 0
      ? [
          {
            ...shareOf('loop_ratio', loops, steps.n),
            reason: `${loops} of ${steps.n} tasks called one tool with one input ${LOOP_CALLS} times or more`,
          },
        ]
      : []),
  ]
}

function meanOf(metric: string, { n, mean, standardDeviation }: Moments): MetricResult {
  const half = (normalQuantile((1 + CI_LEVEL) / 2) * standardDeviation) / Math.sqrt(n)
  const interval = n > 1 ? { ci_low: mean - half, ci_high: mean + half, ci_level: CI_LEVEL } : {}
  return metricResult('operations', '', metric, mean, { n_current: n, ...interval })
}

function shareOf(metric: string, count: number, n: number): MetricResult {
  const { low, high } = wilson(count, n, CI_LEVEL)
  return metricResult('operations', '', metric, count / n, {
    n_current: n,
    ci_low: low,
    ci_high: high,
    ci_level: CI_LEVEL,
  })
}
