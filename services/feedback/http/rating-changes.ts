/** How often each rating was given, so that one is changed a bounded number of times. */
import { Problem } from '../../../lib/runtime/errors.ts'
import { ID_SEPARATOR } from '../../../schemas/fields.ts'

/** One name of one prediction. */
export interface RatingKey {
  model_id: string
  prediction_id: string
  name: string
}

/** An answer that counts. */
export interface TakenRating {
  /** How many more are taken, 0 or more. */
  left: number
  /** Counts it no more, since it was not kept. */
  giveBack: () => void
}

/** Ratings that are remembered: some hundred bytes each. */
const MOST_REMEMBERED = 100_000

/**
 * Makes the function that counts an answer. It throws a {@link Problem}, 409 `rating_closed`, after
 * a final one or as many as there may be.
 *
 * @param most answers of one name of one prediction
 * @param remembered ratings; beyond it the one given longest ago is forgotten
 */
export function ratingChanges(
  most: number,
  remembered = MOST_REMEMBERED,
): (key: RatingKey, isFinal: boolean) => TakenRating {
  const given = new Map<string, { answers: number; isFinal: boolean }>()
  return ({ model_id, prediction_id, name }, isFinal) => {
    const key = [model_id, prediction_id, name].join(ID_SEPARATOR)
    const rating = given.get(key) ?? { answers: 0, isFinal: false }
    if (rating.isFinal) throw closed(`the answer ${name} of this prediction was final`)
    if (rating.answers >= most)
      throw closed(`${name} of this prediction was answered ${most} times, and may not be again`)
    given.delete(key)
    given.set(key, rating)
    rating.answers++
    rating.isFinal = isFinal
    const [oldest] = given.keys()
    if (given.size > remembered) given.delete(oldest!)
    const giveBack = () => {
      rating.answers--
      if (isFinal) rating.isFinal = false
    }
    return { left: isFinal ? 0 : most - rating.answers, giveBack }
  }
}

const closed = (detail: string) => new Problem(409, 'rating_closed', detail)
