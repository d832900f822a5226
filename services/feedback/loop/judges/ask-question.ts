/**
 * One question to a judge, from its prediction to its end: rendered, looked up among known answers,
 * paid for out of the budget, asked, and settled. Whatever happens it ends in one state, is put off,
 * or is taken over once its claim is over.
 */
import { backoffMs } from '../../../../lib/runtime/clock.ts'
import { budgetOf, costing, mostOf, type CostOf } from '../../data/judges/cost.ts'
import { shaOf } from '../../data/judges/judge.ts'
import { readJudgement, type Completion, type Judgement } from '../../data/judges/judgement.ts'
import { renderPrompt } from '../../data/judges/prompt.ts'
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
  const rendered = renderPrompt(prompt.prompt, prediction, options)
  if (rendered.kind === 'unasked') return end({ state: 'unasked', reason: rendered.reason })
  const body = requestBody(judge, rendered.messages)
  const promptSha256 = shaOf(body)
  const known = await knownAnswer(judging.postgres, of, promptSha256)
  if (known) return end({ state: 'answered', ...known }, true)
  await notePrompt(judging.postgres, question, promptSha256)
  const costOf = costing(judge, judging.prices(), judging.now())
  const most = mostOf(costOf, body, judge.max_tokens)
  const day = dayOf(judging.now())
  const isPaid =
    most !== undefined &&
    (await reserve(judging.postgres, question, day, { most, budget: budgetOf(judge) }))
  if (!isPaid) {
    const at = judging.now() + NO_MONEY_MS
    await putOffQuestion(judging.postgres, question, { at, attempts: question.attempts })
    return 'no_money'
  }
  judging.count(of, 'asked')
  const outcome = await askJudge(judging, judge, body)
  return settleQuestion(judging, { ready, question, costOf, most }, outcome)
}

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
  most: number
}

function settleQuestion(judging: Judging, paid: Paid, outcome: AskOutcome): Promise<Asked> {
  if (outcome.kind === 'answered') return settleAnswer(judging, paid, outcome.completion)
  return outcome.kind === 'stopped'
    ? settleStopped(judging, paid)
    : settleFailure(judging, paid, outcome)
}

async function settleAnswer(
  judging: Judging,
  { ready: { judge, of }, question, costOf, most }: Paid,
  completion: Completion,
): Promise<Asked> {
  const judgement: Judgement =
    completion.kind === 'text'
      ? readJudgement(completion.text, judge.answer)
      : { kind: 'invalid', reason: completion.reason }
  // What says nothing of its tokens has cost the most it may.
  const cost = completion.usage ? (costOf(completion.usage) ?? most) : most
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
async function settleStopped(judging: Judging, { question, most }: Paid): Promise<Asked> {
  await judging.postgres.transaction(async (tx) => {
    if (await settle(tx, question, most))
      await putOffQuestion(tx, question, { at: judging.now(), attempts: question.attempts })
  })
  return 'put_off'
}

async function settleFailure(
  judging: Judging,
  { ready: { judge, of, state }, question, most }: Paid,
  failure: Extract<AskOutcome, { kind: 'failed' }>,
): Promise<Asked> {
  const { postgres, now, random, count, log } = judging
  const attempts = question.attempts + 1
  const isLast = failure.isPermanent || attempts >= judge.attempts
  // Half of a pause is drawn, so that processes that failed together do not come together again.
  const pause = backoffMs(state.failures, FIRST_PAUSE_MS, LAST_PAUSE_MS) * (0.5 + random() / 2)
  const until = now() + Math.max(failure.askedMs, pause)
  await postgres.transaction(async (tx) => {
    if (!(await settle(tx, question, failure.mayCost ? most : 0))) return
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
