/** What the calls of each task of an application came to, in one window. Pure. */

/** A sum over tasks, and of its squares. */
export interface Moments {
  /** Tasks that have it. */
  n: number
  mean: number
  /** Standard deviation of the sample; 0 of fewer than two. */
  standardDeviation: number
}

/** Tasks of a window: a task is all calls of one trace. */
export interface AgentTasks {
  /** Calls of models and tools a task, those of agents left out, which contain them. */
  steps: Moments
  /** US dollars a task, of tasks with a cost. */
  cost: Moments
  toolCalls: number
  /** Calls of tools that ended in an error. */
  toolErrors: number
  /** Tasks that called one tool with one input {@link LOOP_CALLS} times or more. */
  loops: number
}

/** Calls of one tool with one input that make a task a loop. */
export const LOOP_CALLS = 3
