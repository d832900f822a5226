/** Guards of a policy that contradict one another, or themselves. Pure. */
import type { RetrainPolicy } from '../../../schemas/model-retrain.ts'
import { durationMs } from '../../runtime/durations.ts'
import { didYouMean } from '../../runtime/nearest-name.ts'
import { requirementProblems } from './acceptance.ts'
import { areAlwaysQuiet, instantOf } from './quiet-times.ts'
import { isTimezone } from '../windows.ts'

/** Every problem of a policy's guards as a sentence that begins with the field. */
export function guardProblems(policy: RetrainPolicy): string[] {
  const zones = zoneProblems(policy)
  return [
    ...zones,
    // What lies in a zone that nobody knows cannot be laid side by side.
    ...(zones.length > 0 ? [] : timeProblems(policy)),
    ...acceptProblems(policy),
    ...between('approval_expires', policy.approval_expires, '1m', '365d'),
    ...between('validation.within', policy.validation?.within, '1m', '90d'),
    ...between('watch.within', policy.watch?.within, '1m', '365d'),
    ...between('dataset.span', policy.dataset?.span, '1h', '3650d'),
    ...promoteProblems(policy),
    ...escalationProblems(policy),
    ...Object.entries(policy.targets ?? {}).flatMap(([phase, target]) =>
      between(`targets.${phase}`, target, '1s', '365d'),
    ),
    ...contradictions(policy),
  ]
}

function zoneProblems({ quiet = [], freezes = [] }: RetrainPolicy): string[] {
  const named = [
    ...quiet.map(({ timezone }, i) => [`quiet.${i}`, timezone] as const),
    ...freezes.map(({ timezone }, i) => [`freezes.${i}`, timezone] as const),
  ]
  return named.flatMap(([path, timezone]) =>
    timezone === undefined || isTimezone(timezone)
      ? []
      : [
          `${path}.timezone: ${timezone} is not an IANA time zone${didYouMean(timezone, Intl.supportedValuesOf('timeZone'))}`,
        ],
  )
}

function timeProblems({ quiet, freezes = [] }: RetrainPolicy): string[] {
  const problems = freezes.flatMap(({ from, to, timezone }, i) => {
    const [start, end] = [instantOf(from, timezone), instantOf(to, timezone)]
    if (Number.isNaN(start)) return [`freezes.${i}.from: there is no ${from}`]
    if (Number.isNaN(end)) return [`freezes.${i}.to: there is no ${to}`]
    return start < end ? [] : [`freezes.${i}: it ends at ${to}, and begins at ${from} only`]
  })
  if (areAlwaysQuiet(quiet))
    problems.push('quiet: the quiet hours leave no minute of the week: nothing could be launched')
  return problems
}

function acceptProblems({ accept = [], validation }: RetrainPolicy): string[] {
  const evidence = validation?.evidence ?? 'any'
  return accept.flatMap((text, i) =>
    requirementProblems(text, evidence).map((problem) => `accept.${i}: ${problem}`),
  )
}

function promoteProblems({ promote }: RetrainPolicy): string[] {
  if (promote === undefined) return []
  const { steps, at_least: least, step_within: within, served_when: when, launch } = promote
  const problems = [
    ...between('promote.at_least', least, '0s', '30d'),
    ...between('promote.step_within', within, '1m', '30d'),
  ]
  if (steps.some((share, i) => share <= (steps[i - 1] ?? 0)))
    problems.push(`promote.steps: ${steps.join(', ')} must ascend`)
  if (steps.at(-1) !== 100)
    problems.push(
      `promote.steps: the last of ${steps.join(', ')} must be 100, else nothing is promoted`,
    )
  if (durationMs(least) >= durationMs(within))
    problems.push(
      `promote.at_least ${least} must be shorter than step_within ${within}: every step would be late`,
    )
  if (when === 'answered' && launch.kind !== 'webhook')
    problems.push(
      `promote.served_when: answered is for webhooks; ${launch.kind} tells the end of its job itself`,
    )
  return problems
}

const APPROVAL_EXPIRES = '7d'

function escalationProblems({
  escalate = [],
  approval,
  approval_expires: expires = APPROVAL_EXPIRES,
}: RetrainPolicy): string[] {
  if (escalate.length > 0 && approval === 'none')
    return ['escalate: there is nothing to approve where approval is none']
  return escalate.flatMap(({ after }, i) => {
    const wrong = between(`escalate.${i}.after`, after, '1m', '365d')
    if (wrong.length > 0) return wrong
    const before = escalate[i - 1]?.after
    if (before !== undefined && durationMs(after) <= durationMs(before))
      return [`escalate.${i}.after ${after} must be longer than that of the step before, ${before}`]
    return durationMs(after) < durationMs(expires)
      ? []
      : [
          `escalate.${i}.after ${after} must be shorter than approval_expires ${expires}: the run is cancelled then`,
        ]
  })
}

function contradictions(policy: RetrainPolicy): string[] {
  const { approval, approval_expires: expires, validation, accept, dry_run: isDry } = policy
  const problems: string[] = []
  if (approval === 'none' && expires !== undefined && expires !== '7d')
    problems.push('approval_expires: there is nothing to expire where approval is none')
  if (validation !== undefined && accept === undefined)
    problems.push('validation: there is nothing to validate without accept')
  if (isDry && approval !== 'none')
    problems.push(`dry_run: nothing is launched, so nobody is to approve it: set approval to none`)
  return problems
}

function between(name: string, given: string | undefined, least: string, most: string): string[] {
  if (given === undefined) return []
  const ms = durationMs(given)
  return ms < durationMs(least) || ms > durationMs(most)
    ? [`${name} ${given} must be from ${least} to ${most}`]
    : []
}
