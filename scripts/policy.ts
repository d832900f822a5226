/**
 * Tries policies on stored history: what they would have done, beside what was done.
 *
 *     npm run policy -- --model fraud --file new.yaml --from 2026-01-01 --to 2026-03-01
 *     npm run policy -- --model fraud --when 'any(drift.psi, alarm)' --cooldown 7d --from … --to …
 *
 * FILE is a model file, or one with `retrain` alone; each of its policies is tried by itself.
 * PLUMBLINE_URL (http://127.0.0.1:8080) answers, with the key of PLUMBLINE_KEY where keys are set.
 * Nothing is launched, and nothing is kept.
 */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { parse } from 'yaml'
import { messageOf } from '../lib/runtime/errors.ts'
import type { PolicyTrialAnswer } from '../schemas/http/runs/policy-trials.ts'
import { ask } from './ask-service.ts'

const USAGE =
  'usage: npm run policy -- --model ID (--file FILE | --when CONDITION [--cooldown 7d] [--max-per-month 4]) --from TIME --to TIME'

interface Tried {
  name: string
  when: unknown
  cooldown?: unknown
  max_per_month?: unknown
}

function policiesIn(path: string): Tried[] {
  const file: unknown = parse(readFileSync(path, 'utf8'))
  const policies = (file as { retrain?: unknown } | null)?.retrain
  if (!Array.isArray(policies) || policies.length === 0)
    throw new Error(`${path} has no policies: retrain must be a list of them`)
  return policies as Tried[]
}

const day = (time: string) => time.slice(0, 16).replace('T', ' ')
const number = (value: number | null) => (value === null ? '–' : value.toPrecision(4))

function told(name: string, answer: PolicyTrialAnswer): string[] {
  const { decisions, runs, windows, metric, untold } = answer
  const launches = decisions.filter((one) => one.launches)
  const done = new Map(runs.map((run) => [run.window_end, run]))
  const both = launches.filter(
    ({ window_end }) => window_end !== null && done.has(window_end),
  ).length
  const how = (one: { value: number | null; value_after: number | null }) =>
    metric === null ? '' : `  ${metric} ${number(one.value)}, then ${number(one.value_after)}`
  return [
    `policy ${name}: ${windows} windows`,
    ...untold.map(({ test, reason }) => `  not known of ${test}: ${reason}`),
    ...decisions.map(
      (one) =>
        `  ${day(one.at)}  ${one.launches ? 'would launch' : 'held back'}  ${one.reason}${how(one)}`,
    ),
    ...runs.map(
      (run) => `  ${day(run.window_end)}  was done      ${run.policy}: ${run.state}${how(run)}`,
    ),
    `  would launch ${launches.length}; ${runs.length} were decided on, ${both} of them on the same windows; held back ${decisions.length - launches.length}`,
  ]
}

try {
  const { values } = parseArgs({
    options: {
      model: { type: 'string' },
      file: { type: 'string' },
      when: { type: 'string' },
      cooldown: { type: 'string' },
      'max-per-month': { type: 'string' },
      from: { type: 'string' },
      to: { type: 'string' },
    },
  })
  const { model, file, when, from, to } = values
  if (!model || !from || !to || (file === undefined) === (when === undefined))
    throw new Error(USAGE)
  const most = values['max-per-month']
  const policies: Tried[] =
    file === undefined
      ? [{ name: 'given', when, cooldown: values.cooldown, max_per_month: most && Number(most) }]
      : policiesIn(file)
  const asTime = (text: string) => (/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text)
  for (const { name, when: condition, cooldown, max_per_month } of policies) {
    const guards = {
      ...(cooldown !== undefined && { cooldown }),
      ...(max_per_month !== undefined && { max_per_month }),
    }
    const question = { model_id: model, when: condition, from: asTime(from), to: asTime(to) }
    const answer = await ask<PolicyTrialAnswer>('/v1/policy-trials', { ...question, ...guards })
    for (const line of told(name, answer)) console.log(line)
  }
} catch (error) {
  console.error(messageOf(error))
  process.exitCode = 1
}
