/** A server without access control, for tests of routes: whoever asks reaches every model. */
import fastify, { type FastifyInstance } from 'fastify'

export function bareHttp(): FastifyInstance {
  const http = fastify()
  http.decorateRequest('reach')
  http.addHook('onRequest', async (request) => {
    request.reach = () => ({ ids: undefined, has: () => true, require: () => {} })
  })
  return http
}
