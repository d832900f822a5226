/**
 * One question to a judge, from its prediction to its end: rendered, looked up among known answers,
 * paid for out of the budget, asked, and settled. Whatever happens it ends in one state, is put off,
 * or is taken over once its claim is over.
 */
import { backoffMs } from '../../../../lib/runtime/clock.ts'
import { budgetOf, costing, mostOf, type CostOf } from '../../data/judges/cost.ts'
import { shaOf } from '../../data/judges/judge.ts'
import { readJudgement, type Completion, type Judgement } from '../../data/judges/judgement.ts'
import { renderPrompts } from '../../data/judges/prompt.ts'
import { preferenceOf } from '../../data/judges/pair.ts'
import type { ClaimedQuestion, QuestionEnd } from '../../data/judges/question.ts'
import { requestBody } from '../../data/judges/request.ts'
import { dayOf, reserve, settle } from '../../queries/judges/budget.ts'
import { judgedPrediction } from '../../queries/judges/judged-prediction.ts'
import {
  endQuestion,
  knownAnswer,
  notePrompt,
  putOffQuestion,
} from '../../queries/judges/questions.ts'
import { noteAnswered, noteFailed } from '../../queries/judges/versions.ts'
import { askJudge, type AskOutcome } from './ask-endpoint.ts'
import type { ReadyJudge } from '../../queries/judges/standing.ts'
import type { Judging } from './judging.ts'

const FIRST_PAUSE_MS = 1000
const LAST_PAUSE_MS = 5 * 60_000
/** A judge whose budget or price does not suffice is looked at again after so long. */
const NO_MONEY_MS = 10_000
/** Characters of a problem that are kept. */
const MAX_PROBLEM = 500

/** What became of a question, for whoever asks the next one: `no_money` asks for a pause. */
export type Asked = 'ended' | 'put_off' | 'no_money'

/** Asks one claimed question. */
export async function askQuestion(
  judging: Judging,
  ready: ReadyJudge,
  question: ClaimedQuestion,
): Promise<Asked> {
  const { judge, prompt, of } = ready
  const end = (how: QuestionEnd, isCached = false) => endUnasked(judging, question, how, isCached)
  if (question.attempts >= judge.attempts) return end({ state: 'failed', reason: 'lost' })
  const prediction = await judgedPrediction(judging.db, question)
  if (!prediction) return end({ state: 'unasked', reason: 'gone' })
  const options = { answer: judge.answer, maxChars: judge.max_chars }
  const rendered = renderPrompts(prompt.prompt, prediction, options)
  if (rendered.kind === 'unasked') return end({ state: 'unasked', reason: rendered.reason })
  const bodies = rendered.requests.map((messages) => requestBody(judge, messages))
  const promptSha256 = shaOf(bodies.join('\n'))
  const known = await knownAnswer(judging.postgres, of, promptSha256)
  if (known) return end({ state: 'answered', ...known }, true)
  await notePrompt(judging.postgres, question, promptSha256)
  const costOf = costing(judge, judging.prices(), judging.now())
  const most = bodies.map((body) => mostOf(costOf, body, judge.max_tokens) ?? NaN)
  const held = sumOf(most)
  const day = dayOf(judging.now())
  const isPaid =
    !Number.isNaN(held) &&
    (await reserve(judging.postgres, question, day, { most: held, budget: budgetOf(judge) }))
  if (!isPaid) {
    const at = judging.now() + NO_MONEY_MS
    await putOffQuestion(judging.postgres, question, { at, attempts: question.attempts })
    return 'no_money'
  }
  return askAll(judging, { ready, question, costOf, most }, bodies)
}

const sumOf = (costs: readonly number[]): number => costs.reduce((a, b) => a + b, 0)

/** Ends a question for which nothing is paid. */
async function endUnasked(
  { postgres, now, count }: Judging,
  question: ClaimedQuestion,
  end: QuestionEnd,
  isCached: boolean,
): Promise<Asked> {
  await endQuestion(postgres, question, end, now())
  count(question, isCached ? 'cached' : end.state, 'reason' in end ? end.reason : '')
  return 'ended'
}

/** A question that was asked, with what is held back for it. */
interface Paid {
  ready: ReadyJudge
  question: ClaimedQuestion
  costOf: CostOf
  /** The most that each request can cost. */
  most: readonly number[]
}

/** Sends the requests of a question one after another, up to the first that is not answered. */
async function askAll(judging: Judging, paid: Paid, bodies: readonly string[]): Promise<Asked> {
  const { judge, of } = paid.ready
  const completions: Completion[] = []
  for (const [i, body] of bodies.entries()) {
    judging.count(of, 'asked')
    const outcome: AskOutcome = await askJudge(judging, judge, body)
    const before = sumOf(completions.map((one, k) => costOfAnswer(paid, one, k)))
    if (outcome.kind === 'stopped') return settleStopped(judging, paid, before + paid.most[i]!)
    if (outcome.kind === 'failed')
      return settleFailure(judging, paid, outcome, before + (outcome.mayCost ? paid.most[i]! : 0))
    completions.push(outcome.completion)
  }
  return settleAnswers(judging, paid, completions)
}

/** What says nothing of its tokens has cost the most it may. */
function costOfAnswer({ costOf, most }: Paid, { usage }: Completion, i: number): number {
  return (usage && costOf(usage)) ?? most[i]!
}

async function settleAnswers(
  judging: Judging,
  paid: Paid,
  completions: readonly Completion[],
): Promise<Asked> {
  const { question } = paid
  const { judge, of } = paid.ready
  const [first, swapped] = completions.map((one): Judgement =>
    one.kind === 'text'
      ? readJudgement(one.text, judge.answer)
      : { kind: 'invalid', reason: one.reason },
  )
  const judgement = swapped ? preferenceOf(first!, swapped) : first!
  const cost = sumOf(completions.map((one, i) => costOfAnswer(paid, one, i)))
  const end: QuestionEnd =
    judgement.kind === 'valid'
      ? { state: 'answered', label: judgement.label, comment: judgement.comment }
      : { state: 'invalid', reason: judgement.reason }
  await judging.postgres.transaction(async (tx) => {
    if (await settle(tx, question, cost)) await endQuestion(tx, question, end, judging.now())
  })
  await noteAnswered(judging.postgres, of)
  judging.count(of, end.state, 'reason' in end ? end.reason : '')
  return 'ended'
}

/** The process ends: the question is as it was, and what it may have cost is counted. */
async function settleStopped(judging: Judging, { question }: Paid, cost: number): Promise<Asked> {
  await judging.postgres.transaction(async (tx) => {
    if (await settle(tx, question, cost))
      await putOffQuestion(tx, question, { at: judging.now(), attempts: question.attempts })
  })
  return 'put_off'
}

async function settleFailure(
  judging: Judging,
  { ready: { judge, of, state }, question }: Paid,
  failure: Extract<AskOutcome, { kind: 'failed' }>,
  cost: number,
): Promise<Asked> {
  const { postgres, now, random, count, log } = judging
  const attempts = question.attempts + 1
  const isLast = failure.isPermanent || attempts >= judge.attempts
  // Half of a pause is drawn, so that processes that failed together do not come together again.
  const pause = backoffMs(state.failures, FIRST_PAUSE_MS, LAST_PAUSE_MS) * (0.5 + random() / 2)
  const until = now() + Math.max(failure.askedMs, pause)
  await postgres.transaction(async (tx) => {
    if (!(await settle(tx, question, cost))) return
    if (isLast) await endQuestion(tx, question, { state: 'failed', reason: failure.reason }, now())
    else await putOffQuestion(tx, question, { at: until, attempts })
  })
  await noteFailed(postgres, of, { until, problem: failure.detail.slice(0, MAX_PROBLEM) })
  if (isLast) count(of, 'failed', failure.reason)
  log.warn(
    { model_id: of.modelId, judge: of.judge, attempt: attempts, error: failure.detail },
    isLast ? 'a judge was not asked' : 'a judge was not asked, trying again',
  )
  return isLast ? 'ended' : 'put_off'
}
