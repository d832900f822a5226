/** What is answered for a request that is not served. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { messageOf, Problem } from '../runtime/errors.ts'
import type { Logger } from '../runtime/log.ts'

/** Answers an error as an RFC 9457 problem document. */
export function sendProblem(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  log: Logger,
): FastifyReply {
  const { status, code, message: detail, headers, extensions } = problemOf(error, request, log)
  return reply
    .headers(headers)
    .code(status)
    .header('content-type', 'application/problem+json')
    .send(
      JSON.stringify({
        type: `urn:plumbline:${code}`,
        title: code.replaceAll('_', ' '),
        status,
        detail,
        code,
        ...extensions,
      }),
    )
}

/** What is answered for an error; one that nobody foresaw is logged, and told without its words. */
export function problemOf(error: unknown, request: FastifyRequest, log: Logger): Problem {
  if (error instanceof Problem) return error
  const known = error as {
    statusCode?: number
    code?: string
    validation?: unknown
    message?: string
  }
  if (known.validation)
    return new Problem(400, 'invalid_request', known.message ?? 'the request is invalid')
  if (known.statusCode !== undefined && known.statusCode < 500)
    return new Problem(
      known.statusCode,
      CODES[known.statusCode] ?? 'bad_request',
      known.message ?? 'the request cannot be read',
    )
  const url = request.url.split('?')[0]
  log.error({ url, request_id: request.id, error: messageOf(error) }, 'request failed')
  return new Problem(500, 'internal_error', 'the request failed; the log of the service says why')
}

const CODES: Readonly<Record<number, string>> = {
  413: 'too_large',
  415: 'unsupported_media_type',
}
