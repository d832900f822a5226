/** JSON of a body that may hold a whole batch. */
import { BODY_BOUNDS, whyBeyond } from '../../../lib/events/json/bounds.ts'
import { Problem } from '../../../lib/runtime/errors.ts'

/**
 * A body as JSON.
 *
 * @throws {Problem} 400 `invalid_json` for what is none, or is beyond `BODY_BOUNDS`
 */
export function jsonBody(body: Buffer): unknown {
  const why = whyBeyond(body, BODY_BOUNDS)
  if (why) throw new Problem(400, 'invalid_json', why)
  try {
    return JSON.parse(body.toString())
  } catch (error) {
    throw new Problem(400, 'invalid_json', `the body is not JSON: ${(error as Error).message}`)
  }
}
