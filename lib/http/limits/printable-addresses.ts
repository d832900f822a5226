/** Addresses of requests hold texts that can be stored. */
import { requirePrintable } from '../../events/text-rules.ts'
import type { Http } from '../server-types.ts'

/**
 * No name that is stored holds what a text may not, and PostgreSQL fails on it: such a path or query
 * is answered 400 `invalid_text` before any route sees it.
 */
export function refuseUnprintable(app: Http): void {
  app.addHook('preValidation', async ({ params, query }) => {
    requirePrintable('path', params ?? {})
    requirePrintable('query', query ?? {})
  })
}
