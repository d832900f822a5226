/** Judges as they stand: whether they may be asked now, and else why not. */
import type { PriceTable } from '../../../../lib/models/derived/price-table.ts'
import type { Model } from '../../../../lib/models/model-files.ts'
import type { Postgres } from '../../../../lib/postgres/port.ts'
import type { ModelJudge } from '../../../../schemas/language-models/judges.ts'
import { budgetOf, costing, mostOf, NANO_USD, type CostOf } from '../../data/judges/cost.ts'
import { promptProblem } from '../../data/judges/prompt.ts'
import { recipeOf } from '../../data/judges/judge.ts'
import type { JudgeVersion } from '../../data/judges/question.ts'
import type { ReadPrompt, ReadPromptFile } from './prompt-files.ts'
import { newVersion, versionState, type VersionState } from './versions.ts'

/** What a look at a judge needs. */
export interface StandingParts {
  postgres: Postgres
  readPrompt: ReadPromptFile
  /** Whether model files may start commands. */
  allowsCommands: boolean
  prices: () => PriceTable
  now: () => number
}

/** A judge with its prompt, which may be asked. */
export interface ReadyJudge {
  model: Model
  judge: ModelJudge
  of: JudgeVersion
  prompt: ReadPrompt
  state: VersionState
}

/** A judge as it stands: ready, or why it is asked nothing. */
export type Standing =
  { kind: 'ready'; ready: ReadyJudge } | { kind: 'paused' | 'muted' | 'unready'; reason: string }

/** By which a version of a judge is kept. */
export const versionOf = (modelId: string, { name, version }: ModelJudge): JudgeVersion => ({
  modelId,
  judge: name,
  version,
})

/**
 * Whether a judge may be asked now; reads only. A version that has become another one since it was
 * first asked is asked nothing, since its labels could not be compared.
 */
export async function standingOf(
  { postgres, readPrompt, allowsCommands, prices, now }: StandingParts,
  model: Model,
  judge: ModelJudge,
): Promise<Standing> {
  const of = versionOf(model.modelId, judge)
  const unready = (reason: string): Standing => ({ kind: 'unready', reason })
  if (judge.command && !allowsCommands)
    return unready('commands are not allowed: set PLUMBLINE_ALLOW_COMMANDS=on')
  let prompt: ReadPrompt
  try {
    prompt = await readPrompt(model.folder, judge.prompt)
  } catch (error) {
    return unready((error as Error).message)
  }
  const problem = promptProblem(prompt.prompt, judge.answer)
  if (problem !== undefined) return unready(`the prompt ${judge.prompt} does not fit: ${problem}`)
  const unpaid = moneyProblem(judge, prompt.text, costing(judge, prices(), now()))
  if (unpaid !== undefined) return unready(unpaid)
  const recipe = recipeOf(judge, prompt.text)
  const state = (await versionState(postgres, of)) ?? newVersion(recipe, now())
  if (state.recipe !== recipe)
    return unready(
      `version ${judge.version} was asked with another prompt, endpoint or answer before: give the judge another version`,
    )
  if (state.mutedAt !== undefined) return { kind: 'muted', reason: state.mutedReason }
  if (state.pausedUntil > now()) return { kind: 'paused', reason: state.problem }
  return { kind: 'ready', ready: { model, judge, of, prompt, state } }
}

/** Why no answer can be paid for, on any day; undefined where one can. */
function moneyProblem(judge: ModelJudge, promptText: string, costOf: CostOf): string | undefined {
  const least = mostOf(costOf, promptText, judge.max_tokens)
  if (least === undefined)
    return `the price file has no price of ${judge.endpoint?.model}: add one, or set usd_per_call`
  return least > budgetOf(judge)
    ? `one answer may cost ${Number((least / NANO_USD).toPrecision(2))} US dollars or more, above budget_usd_per_day ${judge.budget_usd_per_day}`
    : undefined
}
