/** Tasks of a window, from raw predictions: what OTLP tells of agents and tools. */
import type { ClickHouse } from '../../../../lib/clickhouse/port.ts'
import type { Window } from '../../../../lib/models/windows.ts'
import { LOOP_CALLS, type AgentTasks } from '../../data/agents/agent-tasks.ts'
import { ALL, paramsOf, within } from '../../data/cohort.ts'

/** A window and how much of it is read. */
export interface TasksQuestion {
  modelId: string
  window: Window
  /** One in so many traces is read, by the hash of its id. */
  every: number
}

const OPERATION = `attributes['operation']`

/**
 * One row a task and tool call, then one a task. Agents contain the calls they made: their steps and
 * cost would count twice, and count only where nothing else of the task has a cost.
 */
const TASKS = `
SELECT count() AS tasks, avg(steps) AS stepsMean, stddevSampStable(steps) AS stepsDeviation,
  sum(tool_calls) AS toolCalls, sum(tool_errors) AS toolErrors, countIf(most_alike >= ${LOOP_CALLS}) AS loops,
  count(cost) AS costs, avg(cost) AS costMean, stddevSampStable(cost) AS costDeviation
FROM (
  SELECT trace_id, sum(calls) AS steps, sumIf(calls, tool != 0) AS tool_calls, sumIf(errors, tool != 0) AS tool_errors,
    maxIf(calls, tool != 0) AS most_alike,
    if(sum(costs) > 0, toNullable(sum(spent)), if(sum(agent_costs) > 0, toNullable(max(agent_spent)), NULL)) AS cost
  FROM (
    SELECT trace_id, if(${OPERATION} = 'execute_tool', sipHash64(attributes['tool'], input_text), 0) AS tool,
      countIf(${OPERATION} != 'invoke_agent') AS calls, countIf(${OPERATION} != 'invoke_agent' AND status = 'error') AS errors,
      countIf(isNotNull(cost_usd) AND ${OPERATION} != 'invoke_agent') AS costs,
      sumIf(ifNull(cost_usd, 0), ${OPERATION} != 'invoke_agent') AS spent,
      countIf(isNotNull(cost_usd) AND ${OPERATION} = 'invoke_agent') AS agent_costs,
      maxIf(ifNull(cost_usd, 0), ${OPERATION} = 'invoke_agent') AS agent_spent
    FROM predictions
    WHERE model_id = {model:String} AND ${within('predicted_at')} AND NOT shadow AND trace_id != '' AND sipHash64(trace_id) % {every:UInt64} = 0
    GROUP BY trace_id, tool
  )
  GROUP BY trace_id
)`

type Row = Record<
  | 'tasks'
  | 'stepsMean'
  | 'stepsDeviation'
  | 'toolCalls'
  | 'toolErrors'
  | 'loops'
  | 'costs'
  | 'costMean'
  | 'costDeviation',
  string | number | null
>

/**
 * Reads the tasks of a window; events without a trace are of none.
 *
 * @returns undefined where the window has no task
 */
export async function tasksOfWindow(
  db: ClickHouse,
  { modelId, window, every }: TasksQuestion,
): Promise<AgentTasks | undefined> {
  const [row] = await db.query<Row>(TASKS, { ...paramsOf(modelId, [window], ALL), every })
  if (!row || Number(row.tasks) === 0) return undefined
  const number = (name: keyof Row) => {
    const value = Number(row[name] ?? 0)
    return Number.isFinite(value) ? value : 0
  }
  const moments = (n: keyof Row, mean: keyof Row, standardDeviation: keyof Row) => ({
    n: number(n),
    mean: number(mean),
    standardDeviation: number(standardDeviation),
  })
  return {
    steps: moments('tasks', 'stepsMean', 'stepsDeviation'),
    cost: moments('costs', 'costMean', 'costDeviation'),
    toolCalls: number('toolCalls'),
    toolErrors: number('toolErrors'),
    loops: number('loops'),
  }
}
