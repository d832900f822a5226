/** A server without access control, for tests of routes: whoever asks reaches every model. */
import fastify, { type FastifyInstance } from 'fastify'

export function bareHttp(): FastifyInstance {
  const http = fastify()
  // As the service does: a schema describes an answer, and changes nothing of it.
  http.setSerializerCompiler(() => (answer) => JSON.stringify(answer))
  http.decorateRequest('reach')
  http.addHook('onRequest', async (request) => {
    request.reach = () => ({ ids: undefined, has: () => true, require: () => {} })
  })
  return http
}
