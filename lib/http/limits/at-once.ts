/** Bounds work that one request asks for and that costs a process much. */
import { Problem } from '../../runtime/errors.ts'

/** Does a piece of work, or refuses it at once. */
export type AtOnce = <T>(work: () => Promise<T>) => Promise<T>

/**
 * Makes a bound of work that a process does at the same time; what has failed has ended too.
 *
 * @param most pieces beside one another, 1 or more
 * @param what the work in the plural and what is done with it, such as `data sets are being written`
 * @param retryAfterS seconds after which it is worth asking again, for `Retry-After`
 * @returns does the work; throws a {@link Problem} 429 `overloaded` where `most` are under way
 */
export function atOnce(most: number, what: string, retryAfterS: number): AtOnce {
  let underWay = 0
  return async (work) => {
    if (underWay >= most)
      throw new Problem(429, 'overloaded', `${most} ${what}: ask again`, {
        'retry-after': String(retryAfterS),
      })
    underWay++
    try {
      return await work()
    } finally {
      underWay--
    }
  }
}
