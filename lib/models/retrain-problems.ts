/** What is wrong with the policies of a model file, beyond what its schema says. Pure. */
import type { Launch } from '../../schemas/launch.ts'
import type { ModelFile } from '../../schemas/model.ts'
import { textProblem } from '../events/text-rules.ts'
import { durationMs } from '../runtime/durations.ts'
import { templateProblems, type Template } from './launch-templates.ts'
import { sliceKeys } from './slices.ts'
import { parseCondition } from './policy-language.ts'
import { conditionProblems } from './policy-problems.ts'

/** Every problem of `retrain`, as sentences that begin with their path. */
export function retrainProblems(file: ModelFile): string[] {
  const policies = file.retrain ?? []
  const names = policies.map((policy) => policy.name)
  return policies.flatMap((policy, i) => {
    const path = `retrain.${policy.name}`
    const unkept = textProblem(`retrain.${i}.name`, policy.name)
    return [
      ...(names.indexOf(policy.name) === i
        ? []
        : [`retrain: two policies are named ${policy.name}`]),
      ...whenProblems(policy.when, file).map((problem) => `${path}.when: ${problem}`),
      ...launchProblems(policy.launch).map((problem) => `${path}.launch: ${problem}`),
      ...(unkept ? [unkept] : []),
    ]
  })
}

/** What is wrong with a condition: how it is written, or else the names it tests. */
function whenProblems(when: string, file: ModelFile): string[] {
  try {
    return conditionProblems(parseCondition(when), {
      features: Object.keys(file.features ?? {}),
      slices: sliceKeys(file),
      customMetrics: Object.keys(file.custom_metrics ?? {}),
      attributes: Object.keys(file.fairness?.attributes ?? {}),
    })
  } catch (error) {
    return [(error as Error).message]
  }
}

const MIN_TIMEOUT_MS = 1000
const MAX_TIMEOUT_MS = 300_000

function launchProblems(launch: Launch): string[] {
  if (launch.kind !== 'webhook') return []
  const problems = templateProblems(launch.headers ?? {}, launch.body as Template | undefined)
  const timeoutMs = launch.timeout === undefined ? MIN_TIMEOUT_MS : durationMs(launch.timeout)
  if (timeoutMs < MIN_TIMEOUT_MS || timeoutMs > MAX_TIMEOUT_MS)
    problems.push(`timeout ${launch.timeout} must be from 1s to 5m`)
  return problems
}
