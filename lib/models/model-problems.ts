/** What JSON Schema cannot say of a model file. Pure. */
import { alarmSettings } from '../../schemas/model-alarms.ts'
import type { ModelFile } from '../../schemas/model.ts'
import { parseOverrides } from './alarm-lines.ts'
import { descriptorProblems } from './derived/declared-descriptors.ts'
import { readExpectations } from './expectations/rules.ts'
import { judgeProblems } from './judges/judge-problems.ts'
import { labelProblems } from './labels/label-problems.ts'
import { assignProblems } from './labels/review-rules.ts'
import { choiceProblems } from './metrics/metrics-choice.ts'
import { privacyProblems } from './privacy-problems.ts'
import { referenceProblems } from './reference-problems.ts'
import { retrainProblems } from './retrain-problems.ts'
import { sliceProblems } from './slices.ts'
import { isTimezone, windowSpecProblem } from './windows.ts'

/** Labels that alerts have already. */
const TAKEN_LABELS = new Set(
  'alertname model_id family metric subject reference severity owner team environment'.split(' '),
)

/** Every problem of a model file that fits its schema, a sentence each. */
export function modelProblems(file: ModelFile): string[] {
  const expectations = readExpectations(file.expectations ?? [], Object.keys(file.features ?? {}))
  return [
    alertLabelProblems(file),
    windowProblems(file),
    referenceProblems(file),
    parseOverrides(alarmSettings(file.alarms).overrides ?? {}).problems,
    sliceProblems(file),
    expectations.problems,
    descriptorProblems(file, expectations.rules),
    labelProblems(file),
    judgeProblems(file),
    retrainProblems(file),
    privacyProblems(file),
    choiceProblems(file.metrics),
    assignProblems(file.review),
  ].flat()
}

const alertLabelProblems = ({ alert_labels = {} }: ModelFile): string[] =>
  Object.keys(alert_labels)
    .filter((name) => TAKEN_LABELS.has(name) || name.startsWith('__'))
    .map((name) => `alert_labels.${name} is taken: alerts have a label of that name`)

function windowProblems({ windows }: ModelFile): string[] {
  if (!windows) return []
  const problem = windowSpecProblem(windows.size, windows.slide)
  return [
    ...(problem ? [`windows ${problem}`] : []),
    ...(isTimezone(windows.timezone)
      ? []
      : [`windows.timezone ${windows.timezone} is not an IANA time zone`]),
  ]
}
