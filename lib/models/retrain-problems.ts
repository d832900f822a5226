/** What is wrong with the policies of a model file, beyond what its schema says. Pure. */
import type { ClientCredentials } from '../../schemas/launch-requests.ts'
import type { Launch } from '../../schemas/launch.ts'
import type { ModelFile } from '../../schemas/model.ts'
import { textProblem } from '../events/text-rules.ts'
import { guardProblems } from './guards/guard-problems.ts'
import { durationMs } from '../runtime/durations.ts'
import { readExpectations } from './expectations/rules.ts'
import {
  isNamed,
  LAUNCH_NAMES,
  STEP_NAMES,
  templateProblems,
  type Template,
} from './launch-templates.ts'
import { secretProblems } from './secret-references.ts'
import { sliceKeys } from './slices.ts'
import { parseCondition } from './language/policy-language.ts'
import { conditionProblems, type DeclaredNames } from './language/policy-problems.ts'

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
      ...launchProblems(policy.launch, LAUNCH_NAMES).map((problem) => `${path}.launch: ${problem}`),
      ...(policy.promote
        ? stepLaunchProblems(policy.promote.launch).map(
            (problem) => `${path}.promote.launch: ${problem}`,
          )
        : []),
      ...guardProblems(policy).map((problem) => `${path}.${problem}`),
      ...(unkept ? [unkept] : []),
    ]
  })
}

const whenProblems = (when: string, file: ModelFile): string[] =>
  problemsOf(when, {
    features: Object.keys(file.features ?? {}),
    slices: sliceKeys(file),
    customMetrics: Object.keys(file.custom_metrics ?? {}),
    attributes: Object.keys(file.fairness?.attributes ?? {}),
    hasCanaries: (file.retrain ?? []).some(({ promote }) => promote !== undefined),
    expectations: readExpectations(file.expectations ?? [], []).rules.map(({ name }) => name),
  })

/** What conditions of a model may name, as its file was read. */
export interface NamedThings {
  features: object
  slices: readonly { key: string }[]
  customMetrics: object
  fairness: { attributes: object }
  retrain: readonly { promote?: unknown }[]
  expectations: readonly { name: string }[]
}

/**
 * What is wrong with a condition that is no policy of the model: how it is written, or else the
 * names it tests; sentences, none where all is well.
 */
export const whenProblemsOf = (when: string, model: NamedThings): string[] =>
  problemsOf(when, {
    features: Object.keys(model.features),
    slices: model.slices.map(({ key }) => key),
    customMetrics: Object.keys(model.customMetrics),
    attributes: Object.keys(model.fairness.attributes),
    hasCanaries: model.retrain.some(({ promote }) => promote !== undefined),
    expectations: model.expectations.map(({ name }) => name),
  })

/** What is wrong with a condition: how it is written, or else the names it tests. */
function problemsOf(when: string, names: DeclaredNames): string[] {
  try {
    return conditionProblems(parseCondition(when), names)
  } catch (error) {
    return [(error as Error).message]
  }
}

function oauthProblems(
  { token_url: url, client_secret: secret }: ClientCredentials,
  headers: Readonly<Record<string, string>>,
): string[] {
  const hasOwn = Object.keys(headers).some((name) => name.toLowerCase() === 'authorization')
  return [
    ...(URL.canParse(url) ? [] : [`oauth.token_url ${url} is no address`]),
    ...secretProblems(secret).map((problem) => `oauth.client_secret ${problem}`),
    ...(hasOwn ? ['oauth: its token is the header authorization, which headers has too'] : []),
  ]
}

/** Secrets of a launch that are no headers, by name. */
interface Credentials {
  credentials?: Readonly<Record<string, string>>
  oauth?: ClientCredentials
}

/** The least and the most of each duration of a launch. */
const DURATIONS = {
  timeout: ['1s', '5m'],
  poll: ['1s', '1h'],
  ends_within: ['1m', '30d'],
} as const

/** Launches that hand over every value of a step without a template that names it. */
const TAKES_ALL = ['airflow', 'command']

/** A system that is not told the share cannot set it. */
function stepLaunchProblems(launch: Launch): string[] {
  const problems = launchProblems(launch, STEP_NAMES)
  const takesAll =
    TAKES_ALL.includes(launch.kind) || (launch.kind === 'webhook' && launch.body === undefined)
  if (takesAll || isNamed(launch as Template, 'share')) return problems
  return [
    ...problems,
    `no text of it names {{share}}, so ${launch.kind} would not be told how much of the traffic the new version gets`,
  ]
}

function launchProblems(launch: Launch, names: readonly string[]): string[] {
  if (launch.kind === 'command') return []
  const { kind: _kind, url, headers = {}, ...whole } = launch
  const { credentials = {}, oauth, ...rest } = whole as typeof whole & Credentials
  const [template, what] =
    launch.kind === 'webhook' ? [launch.body ?? null, 'body'] : [rest, launch.kind]
  return [
    ...(URL.canParse(url) ? [] : [`url ${url} is no address`]),
    ...Object.entries(credentials).flatMap(([name, reference]) =>
      secretProblems(reference).map((problem) => `credentials.${name} ${problem}`),
    ),
    ...(oauth ? oauthProblems(oauth, headers) : []),
    ...templateProblems(headers, template as Template, what, names),
    ...(Object.keys(DURATIONS) as (keyof typeof DURATIONS)[]).flatMap((name) =>
      durationProblem(name, (launch as Partial<Record<typeof name, string>>)[name]),
    ),
  ]
}

function durationProblem(name: keyof typeof DURATIONS, given: string | undefined): string[] {
  const [least, most] = DURATIONS[name]
  if (given === undefined) return []
  const ms = durationMs(given)
  return ms < durationMs(least) || ms > durationMs(most)
    ? [`${name} ${given} must be from ${least} to ${most}`]
    : []
}
