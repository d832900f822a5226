/** What JSON Schema cannot say of a model file's judges. Pure. */
import type { ModelJudge } from '../../../schemas/language-models/judges.ts'
import type { ModelFile } from '../../../schemas/model.ts'
import { textProblem } from '../../events/text-rules.ts'
import { durationMs } from '../../runtime/durations.ts'
import { secretProblems, variableOf } from '../secret-references.ts'

/** What the request has already, or would make another kind of answer. */
const OWN_PARAMETERS = new Set([
  'model',
  'messages',
  'max_tokens',
  'max_completion_tokens',
  'response_format',
  'stream',
  'n',
  'tools',
  'tool_choice',
])

/** Problems of `judges`, as sentences that begin with the judge. */
export function judgeProblems(file: ModelFile): string[] {
  const judges = file.judges ?? []
  const names = judges.map(({ name }) => name)
  return judges.flatMap((judge, i) => {
    const path = `judges.${judge.name}`
    const isTwice = names.indexOf(judge.name) !== i
    return [
      ...(isTwice ? [`judges: two are named ${judge.name}`] : []),
      ...problemsOf(judge, file).map((problem) => `${path}${problem}`),
    ]
  })
}

function problemsOf(judge: ModelJudge, file: ModelFile): string[] {
  const { endpoint, command, timeout, label } = judge
  const problems: string[] = []
  if ((endpoint === undefined) === (command === undefined))
    problems.push(' needs either endpoint or command')
  if (durationMs(timeout) < 1000 || durationMs(timeout) > 600_000)
    problems.push(`.timeout ${timeout} must be from 1s to 10m`)
  const unkept = label === undefined ? undefined : textProblem('.label', label)
  if (unkept) problems.push(unkept)
  return [
    ...problems,
    ...answerProblems(judge, file),
    ...(endpoint ? endpointProblems(endpoint) : []),
  ]
}

/** Answers that are labels of the model itself are such as the model has. */
function answerProblems({ answer, label, name }: ModelJudge, file: ModelFile): string[] {
  const { classes, minimum, maximum, whole, pair } = answer
  const isTruth = (label ?? name) === 'label'
  const hasClasses = (file.classes ?? []).length > 0 && file.task !== 'llm'
  if (pair !== undefined) return pairProblems(answer, isTruth)
  if (classes === undefined) {
    if (minimum === undefined || maximum === undefined)
      return ['.answer needs classes, minimum and maximum, or pair']
    if (!(minimum < maximum)) return ['.answer.minimum must be below maximum']
    if (whole && Math.ceil(minimum) > Math.floor(maximum))
      return ['.answer: no whole number lies from minimum to maximum']
    return isTruth && hasClasses
      ? ['.answer must be classes: the label of the model is one of these']
      : []
  }
  if (minimum !== undefined || maximum !== undefined || whole !== undefined)
    return ['.answer has classes, and may have neither minimum, maximum nor whole']
  const unkept = classes.flatMap((one) => textProblem('.answer.classes', one) ?? [])
  if (unkept.length > 0 || !isTruth) return unkept
  if (file.task === 'regression')
    return ['.answer must be a range: the label of a regression is a number']
  const unknown = classes.filter((one) => !file.classes?.includes(one))
  return hasClasses && unknown.length > 0
    ? [`.answer.classes names ${unknown.join(', ')}, no classes of the model`]
    : []
}

/** A preference has answers of its own, which are no labels of the model. */
function pairProblems(answer: ModelJudge['answer'], isTruth: boolean): string[] {
  if (Object.keys(answer).length > 1) return ['.answer has pair, and may have nothing else']
  return isTruth ? ['.label must be another name: a preference is no label of the model'] : []
}

function endpointProblems({ url, key, parameters = {} }: NonNullable<ModelJudge['endpoint']>) {
  const problems: string[] = []
  if (!URL.canParse(url)) problems.push(`.endpoint.url ${url} is no address`)
  else {
    const { search, hash, username, password } = new URL(url)
    if (search || hash) problems.push('.endpoint.url may have no ? and no #')
    if (username || password) problems.push('.endpoint.url may hold no user: give key')
  }
  if (key !== undefined) {
    const found = secretProblems(key)
    for (const problem of found) problems.push(`.endpoint.key ${problem}`)
    if (found.length === 0 && (!key.startsWith('secret://') || variableOf(key) === undefined))
      problems.push('.endpoint.key must be written secret://env/NAME')
  }
  for (const name of Object.keys(parameters))
    if (OWN_PARAMETERS.has(name))
      problems.push(`.endpoint.parameters.${name} is set by Plumbline itself`)
  return problems
}
