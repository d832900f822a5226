/** How people are asked about predictions of a model, as its model file says. Pure. */
import type { ModelReview } from '../../../schemas/review/model-review.ts'

/** The section `review` of a model file with its defaults. */
export interface ReviewRules {
  /** Answers that make a label. */
  reviewers: number
  budgetPerDay: number
  /** Part of the budget that is drawn evenly. */
  randomShare: number
  /** Part of a reviewer's tasks whose answer is known, in [0, 0.5]; 0 where the file asks for none. */
  goldShare: number
  /** Who gets its tasks; undefined: everybody who may review. */
  assign: Assignment | undefined
  /** Who decides where reviewers disagree; undefined: more reviewers are asked. */
  adjudicate: Assignment | undefined
}

/** People and teams, any of whom gets the tasks of a model. */
export interface Assignment {
  people: readonly string[]
  teams: readonly string[]
}

/** Why a list of people holds for nobody, as sentences. */
export const assignProblems = (review: ModelReview | undefined): string[] =>
  (['assign', 'adjudicate'] as const).flatMap((name) => {
    const list = review?.[name]
    return list && list.people.length + list.teams.length === 0
      ? [`review.${name} names nobody: name people or teams, or leave it out`]
      : []
  })

/** Reads the section, or what holds where a model file has none. */
export const reviewRules = (review: ModelReview | undefined): ReviewRules => ({
  reviewers: review?.reviewers ?? 1,
  budgetPerDay: review?.budget_per_day ?? 0,
  randomShare: review?.draw.random ?? 1,
  goldShare: review?.gold?.share ?? 0,
  assign: review?.assign,
  adjudicate: review?.adjudicate,
})
