/**
 * Asks judges about their share of the predictions. Each judge has its own places for requests, so
 * that one whose endpoint hangs holds up its own questions alone; a step fills the free ones and
 * does not wait for answers.
 */
import { durationMs } from '../../../../lib/runtime/durations.ts'
import { messageOf } from '../../../../lib/runtime/errors.ts'
import type { Model, Models } from '../../../../lib/models/model-files.ts'
import type { ModelJudge } from '../../../../schemas/language-models/judges.ts'
import { labelNameOf, questionId } from '../../data/judges/judge.ts'
import type { ClaimedQuestion } from '../../data/judges/question.ts'
import {
  closedUntil,
  drawnPredictions,
  eventsBefore,
  type Draw,
} from '../../queries/drawn-predictions.ts'
import { addQuestions, claimQuestions, tidyQuestions } from '../../queries/judges/questions.ts'
import { addVersion } from '../../queries/judges/versions.ts'
import { attemptItem } from '../item-failures.ts'
import { askQuestion } from './ask-question.ts'
import { standingOf, type ReadyJudge } from '../../queries/judges/standing.ts'
import type { Judging } from './judging.ts'

/** The asking of a process. */
export interface AskLoop {
  judging: Judging
  models: Pick<Models, 'declared'>
  /** Questions under way, by judge. */
  underWay: Map<string, Set<Promise<void>>>
  /** What was drawn last, by version of a judge. */
  drawn: Map<string, string>
  /** Until when a judge without money is left alone, epoch milliseconds. */
  withoutMoney: Map<string, number>
  /** Told each time a question has ended. */
  onEnded: () => void
}

/** Questions under way in a process, of all judges. */
const MAX_UNDER_WAY = 64
/** Most predictions of an hour that one judge is asked about. */
const MAX_PER_HOUR = 2000
/** Far beyond what a day's draw gives. */
const MAX_DRAWN = 24 * 2 * MAX_PER_HOUR
/** A claim outlasts its request by so much: reading before it, and recording behind it. */
const SPARE_MS = 30_000
const NO_MONEY_MS = 10_000

/** Makes the asking of a process, with nothing under way. */
export const askLoop = (
  judging: Judging,
  models: Pick<Models, 'declared'>,
  onEnded: () => void = () => {},
): AskLoop => ({
  judging,
  models,
  underWay: new Map(),
  drawn: new Map(),
  withoutMoney: new Map(),
  onEnded,
})

/**
 * Draws for each judge what is to be asked, and begins as many questions as have room; a judge that
 * fails is passed by until the next step.
 */
export async function askStep(loop: AskLoop): Promise<{ isIdle: boolean }> {
  let begun = 0
  for (const model of loop.models.declared)
    for (const judge of model.judges)
      await attemptItem(
        loop.judging.failures,
        'judges',
        `${model.modelId}/${judge.name}`,
        async () => {
          begun += await askOne(loop, model, judge)
        },
      )
  return { isIdle: begun === 0 }
}

/** Ends questions that were not asked in time; see {@link tidyQuestions}. */
export async function tidyStep({ postgres, now, count }: Judging): Promise<void> {
  for (const { model_id, judge, version, ended } of await tidyQuestions(postgres, now()))
    count({ modelId: model_id, judge, version }, 'unasked', 'expired', ended)
}

/** Resolves once no question is under way; `judging.stopping` ends them. */
export async function underWayEnded({ underWay }: AskLoop): Promise<void> {
  await Promise.all([...underWay.values()].flatMap((own) => [...own]))
}

/** @returns how many questions it has begun */
async function askOne(loop: AskLoop, model: Model, judge: ModelJudge): Promise<number> {
  const { judging, underWay, withoutMoney } = loop
  const key = JSON.stringify([model.modelId, judge.name])
  const own = underWay.get(key) ?? new Set()
  underWay.set(key, own)
  const all = [...underWay.values()].reduce((sum, { size }) => sum + size, 0)
  const limit = Math.min(judge.concurrency - own.size, MAX_UNDER_WAY - all)
  if (limit <= 0 || judging.stopping.aborted) return 0
  const standing = await standingOf(judging, model, judge)
  if (standing.kind !== 'ready') return 0
  const { ready } = standing
  await addVersion(
    judging.postgres,
    ready.of,
    { recipe: ready.state.recipe, labelName: labelNameOf(judge) },
    judging.now(),
  )
  await draw(loop, ready)
  if ((withoutMoney.get(key) ?? 0) > judging.now()) return 0
  // A pair has a request for each order.
  const requests = judge.answer.pair ? 2 : 1
  const leaseMs = requests * durationMs(judge.timeout) + SPARE_MS
  const claim = { limit, now: judging.now(), leaseMs }
  const questions = await claimQuestions(judging.postgres, ready.of, claim)
  for (const question of questions) {
    const work = begin(loop, ready, question, key).finally(() => {
      own.delete(work)
      loop.onEnded()
    })
    own.add(work)
  }
  return questions.length
}

/** Never rejects: a question that could not be settled is taken over once its claim is over. */
async function begin(
  { judging, withoutMoney }: AskLoop,
  ready: ReadyJudge,
  question: ClaimedQuestion,
  key: string,
): Promise<void> {
  try {
    if ((await askQuestion(judging, ready, question)) === 'no_money')
      withoutMoney.set(key, judging.now() + NO_MONEY_MS)
  } catch (error) {
    judging.failures.failed.inc({ loop: 'judges' })
    judging.log.warn(
      { model_id: ready.of.modelId, judge: ready.of.judge, error: messageOf(error) },
      'a question to a judge was not settled',
    )
  }
}

/** Adds questions about the predictions of closed hours, where there are other ones than before. */
async function draw({ judging, drawn }: AskLoop, { model, judge, of }: ReadyJudge): Promise<void> {
  const { db, postgres, now, count } = judging
  const what: Draw = {
    modelId: model.modelId,
    latenessMs: durationMs(model.windows.lateness),
    share: judge.sample,
    perHour: MAX_PER_HOUR,
    limit: MAX_DRAWN,
  }
  const closed = await closedUntil(db, what)
  if (closed === 0) return
  const key = JSON.stringify([of.modelId, of.judge, of.version])
  const seen = `${closed}/${judge.sample}/${await eventsBefore(db, of.modelId, closed)}`
  if (drawn.get(key) === seen) return
  const predictions = await drawnPredictions(db, what, closed)
  const questions = predictions.map((one) => ({
    ...one,
    questionId: questionId(of.modelId, judge, one.predictionId),
  }))
  const added = await addQuestions(postgres, of, questions, now())
  if (added > 0) count(of, 'drawn', '', added)
  drawn.set(key, seen)
}
