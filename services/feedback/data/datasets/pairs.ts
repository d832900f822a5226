/** Preference pairs: two answers to one input, of which one is preferred. */
import { normalised } from '../../../../lib/models/labels/label-values.ts'
import type { DatasetManifest } from '../../../../schemas/http/labels/datasets.ts'

type PairRule = NonNullable<DatasetManifest['question']['pairs']>

/** An answer with its label; of the rule `preferred_to` beside the one that it was preferred to. */
export interface LabelledAnswer {
  prediction_id: string
  input_text: string
  output_text: string
  label: string
  /** Null where there is no prediction of that id. */
  other_input?: string | null
  other_output?: string | null
}

/** A pair as trainers of preferences read it, and whose answers they are. */
export interface PreferencePair {
  prompt: string
  chosen: string
  rejected: string
  chosen_id: string
  rejected_id: string
}

/** Why rows are in no pair. */
export type LeftOut =
  | 'no_text'
  | 'label_has_no_order'
  | 'only_answer'
  | 'no_difference'
  | 'between_best_and_worst'
  | 'other_not_found'
  | 'other_prompt'

/** Makes pairs of answers that come one by one. */
export interface PairMaker {
  /** Takes the next answer; those to one input come one after another, by `higher_label`. */
  take: (answer: LabelledAnswer) => PreferencePair | undefined
  /** The last pair, where one is left. */
  end: () => PreferencePair | undefined
  readonly leftOut: Partial<Record<LeftOut, number>>
}

/** Makes pairs by a rule; of those to one input two answers are kept at a time. */
export function pairMaker(rule: PairRule): PairMaker {
  const leftOut: Partial<Record<LeftOut, number>> = {}
  const leave = (why: LeftOut, rows = 1) => {
    if (rows > 0) leftOut[why] = (leftOut[why] ?? 0) + rows
    return undefined
  }
  if (rule.rule === 'preferred_to')
    return { take: (answer) => namedPair(answer, leave), end: () => undefined, leftOut }
  return { ...rankedPairs(rule, leave), leftOut }
}

type Leave = (why: LeftOut, rows?: number) => undefined

function namedPair(answer: LabelledAnswer, leave: Leave): PreferencePair | undefined {
  const { other_input, other_output } = answer
  if (typeof other_input !== 'string' || typeof other_output !== 'string')
    return leave('other_not_found')
  if (answer.input_text === '' || answer.output_text === '' || other_output === '')
    return leave('no_text')
  if (answer.input_text !== other_input) return leave('other_prompt')
  if (answer.label === answer.prediction_id) return leave('no_difference')
  return {
    prompt: answer.input_text,
    chosen: answer.output_text,
    rejected: other_output,
    chosen_id: answer.prediction_id,
    rejected_id: answer.label,
  }
}

interface Ranked {
  answer: LabelledAnswer
  rank: number
}

function rankedPairs({ order, margin }: PairRule, leave: Leave): Pick<PairMaker, 'take' | 'end'> {
  let best: Ranked | undefined
  let worst: Ranked | undefined
  let answers = 0
  const end = () => {
    const [first, last, of] = [best, worst, answers]
    best = worst = undefined
    answers = 0
    if (!first || !last) return undefined
    if (of === 1) return leave('only_answer')
    const difference = first.rank - last.rank
    if (difference === 0 || difference < margin) return leave('no_difference', of)
    leave('between_best_and_worst', of - 2)
    return {
      prompt: first.answer.input_text,
      chosen: first.answer.output_text,
      rejected: last.answer.output_text,
      chosen_id: first.answer.prediction_id,
      rejected_id: last.answer.prediction_id,
    }
  }
  return {
    end,
    take: (answer) => {
      if (answer.input_text === '' || answer.output_text === '') return leave('no_text')
      const rank = rankOf(answer.label, order)
      if (rank === undefined) return leave('label_has_no_order')
      const made = best && best.answer.input_text !== answer.input_text ? end() : undefined
      // The first of equals stays.
      if (!best || rank > best.rank) best = { answer, rank }
      if (!worst || rank < worst.rank) worst = { answer, rank }
      answers++
      return made
    },
  }
}

function rankOf(label: string, order: readonly string[]): number | undefined {
  if (order.length > 0) {
    const at = order.findIndex((one) => normalised(one) === normalised(label))
    return at === -1 ? undefined : at
  }
  const plain = normalised(label)
  const rank = plain === '' ? Number.NaN : Number(plain)
  return Number.isFinite(rank) ? rank : undefined
}
