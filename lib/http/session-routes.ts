/** The session of the pages: a posted key begins it; it can be asked about and ended. */
import { answers, answersToBody } from '../../schemas/http/errors.ts'
import {
  SessionAnswer,
  SessionBegun,
  SessionBody,
  SessionEnded,
} from '../../schemas/http/platform.ts'
import { Problem } from '../runtime/errors.ts'
import { isSecure, requireOwnPage } from './access.ts'
import type { Http, HttpOptions } from './server-types.ts'
import type { Sessions } from './sessions.ts'

const tags = ['service']
const config = { isPublic: true }

/** Adds `GET`, `POST` and `DELETE /v1/session`. */
export function addSession(
  app: Http,
  { authenticate, login }: Pick<HttpOptions, 'authenticate' | 'login'>,
  sessions: Sessions,
): void {
  app.get(
    '/v1/session',
    { config, schema: { summary: 'Who asks', tags, response: answers({ 200: SessionAnswer }) } },
    async ({ caller }) => ({
      caller: caller ? { id: caller.id, scopes: [...caller.scopes] } : null,
      key_needed: (await authenticate(undefined)) === undefined,
      login_at: login ? '/login' : null,
    }),
  )
  app.post(
    '/v1/session',
    {
      bodyLimit: 4096,
      config,
      schema: {
        summary: 'Begins a session of the pages with a key',
        tags,
        body: SessionBody,
        response: answersToBody({ 200: SessionBegun }),
      },
    },
    async (request, reply) => {
      requireOwnPage(request)
      const caller = await authenticate(`Bearer ${request.body.key}`)
      if (!caller) throw new Problem(401, 'unauthorized', 'this key is not known')
      void reply.header('set-cookie', sessions.begin(caller, isSecure(request)))
      return { caller: { id: caller.id, scopes: [...caller.scopes] } }
    },
  )
  app.delete(
    '/v1/session',
    {
      config,
      schema: { summary: 'Ends the session', tags, response: answers({ 204: SessionEnded }) },
    },
    async (request, reply) => {
      requireOwnPage(request)
      void reply.header('set-cookie', sessions.end(request.headers.cookie)).code(204)
      return null
    },
  )
}
