/**
 * The one place that knows how an HTTP server of ours behaves: problems, health, metrics, docs,
 * access.
 */
import { Server as HttpsServer } from 'node:https'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import fastifyStatic from '@fastify/static'
import { fastify, LogController, type FastifyReply, type FastifyRequest } from 'fastify'
import { Ajv } from 'ajv'
import { eventTime } from '../events/fields.ts'
import { messageOf, Problem } from '../runtime/errors.ts'
import { callerOf, REQUEST_ID, requestIdOf, requireScope, SECURITY_HEADERS } from './access.ts'
import { addConfig } from './config-routes.ts'
import type { Scope } from './grants.ts'
import { addLogin } from './oidc/login-routes.ts'
import { refusalOf } from './origin.ts'
import { addDocumentPages, beginDocument } from './api-document.ts'
import { whyBeyond, type JsonBounds } from '../events/json/bounds.ts'
import type { Logger } from '../runtime/log.ts'
import type { Module } from '../runtime/modules.ts'
import { sendProblem } from './problems.ts'
import { refuseUnprintable } from './limits/printable-addresses.ts'
import { addRateLimits } from './limits/rate-limits.ts'
import { bodyBudget, readBody } from './request-body.ts'
import { reachOf, requireEvery } from './model-access.ts'
import { addHealth } from './health-routes.ts'
import type { Http, HttpOptions } from './server-types.ts'
import { addPages } from './pages/page-routes.ts'
import { addSession } from './session-routes.ts'
import type { ServerCertificate } from './server-certificate.ts'
import { createSessions } from './sessions.ts'

export type { FastifyReply, FastifyRequest, Http, HttpOptions }

/** How long a request may take to arrive, its headers and the whole of it. */
const HEADERS_TIMEOUT_MS = 10_000
const REQUEST_TIMEOUT_MS = 60_000
/** Ids have 200 characters at most, each of which may be nine in an address. */
const MAX_PARAMETER = 2000
const MAX_CONNECTIONS = 4000
/**
 * Bodies of routes that are parsed here; batches of events are read item by item, within the size
 * of a body.
 */
const PARSED_BOUNDS = { maxDepth: 32, maxMembers: 100_000 }
const CONSOLE_DIR = fileURLToPath(new URL('../../console', import.meta.url))

/**
 * Builds the server; routes are added by the services, and the module listens last and closes
 * first.
 */
export async function createHttp(options: HttpOptions): Promise<Http> {
  const app = fastify({
    loggerInstance: options.log.child({}, { level: 'warn' }),
    bodyLimit: options.maxBodyBytes,
    forceCloseConnections: true,
    requestTimeout: REQUEST_TIMEOUT_MS,
    genReqId: ({ headers }) => requestIdOf(headers[REQUEST_ID]),
    routerOptions: { maxParamLength: MAX_PARAMETER },
    // Addresses that anybody else forwards are not believed.
    trustProxy: [...(options.trustedProxies ?? [])],
    ...protocolOf(options.certificate),
    // Addresses may hold the token of a run.
    logController: new LogController({ disableRequestLogging: true }),
  }) as unknown as Http
  app.server.maxConnections = MAX_CONNECTIONS
  app.decorate('bodyLimits', {
    maxBodyBytes: options.maxBodyBytes,
    budget: bodyBudget(options.maxPendingBytes),
  })
  app.removeAllContentTypeParsers()
  takeBodies(app, ['application/json'], (bytes) => jsonOf(bytes))
  validateRequests(app)
  // Schemas of answers describe and type them; what is sent is what the handler gave, to the last
  // digit.
  app.setSerializerCompiler(() => (answer) => JSON.stringify(answer))
  app.setErrorHandler((error, request, reply) => sendProblem(error, request, reply, options.log))
  app.setNotFoundHandler(({ method, url }) => {
    throw new Problem(404, 'not_found', `there is nothing at ${method} ${url.split('?')[0]}`)
  })
  const sessions = createSessions(Date.now)
  app.decorateRequest('caller', undefined)
  app.decorateRequest('reach')
  app.addHook('onRequest', async (request, reply) => {
    void reply.headers(SECURITY_HEADERS).header(REQUEST_ID, request.id)
    if (isListedOrigin(request)) void reply.headers(answerTo(request.headers.origin!))
    checkAddress(request, options)
    const scope = request.routeOptions.config.scope
    const caller = callerOf(request, options.authenticate, sessions)
    request.caller = await (scope ? caller : caller.catch(nobodyBut403))
    request.reach = (asked) => reachOf(request.caller, asked, options.declared ?? noModels)
    if (scope) requireScope(request.caller, scope)
    if (scope) requireModel(request, scope)
  })
  refuseUnprintable(app)
  addRateLimits(app, options.rates ?? {}, options.registry)
  syncChanges(app, options.synced)
  logPersonal(app, options.log)

  await beginDocument(app)
  await app.register(fastifyStatic, {
    root: CONSOLE_DIR,
    serve: false,
    // The header of every answer says it.
    cacheControl: false,
  })
  addDocumentPages(app)
  addHealth(app, options)
  addPages(app)
  addSession(app, options, sessions)
  if (options.inForce) addConfig(app, options.inForce)
  if (options.login) addLogin(app, options.login, sessions)
  return app
}

/** Bodies are taken as they are; texts of an address become what its schema says. */
function validateRequests(app: Http): void {
  const ajv = (coerceTypes: false | 'array') => {
    const made = new Ajv({ coerceTypes, removeAdditional: false, useDefaults: true, strict: false })
    return made.addFormat('date-time', (text) => eventTime(text) !== undefined)
  }
  const [bodies, queries] = [ajv(false), ajv('array')]
  app.setValidatorCompiler(({ schema, httpPart }) =>
    (httpPart === 'body' ? bodies : queries).compile(schema as object),
  )
}

/** TLS where there is a certificate, and how long a client may take over it and its headers. */
function protocolOf(certificate: ServerCertificate | undefined) {
  const patience = { headersTimeout: HEADERS_TIMEOUT_MS, connectionsCheckingInterval: 1000 }
  if (!certificate) return { http: patience }
  const { cert, key } = certificate
  return { https: { ...patience, cert, key, handshakeTimeout: HEADERS_TIMEOUT_MS } }
}

/** Whether a page of another origin asks, on a route that lists it. */
const isListedOrigin = ({ headers, routeOptions }: FastifyRequest) =>
  headers.origin !== undefined && routeOptions.config.origins?.includes(headers.origin) === true

/** Lets a page of a listed origin read the answer; no cookie goes with its request. */
const answerTo = (origin: string) => ({
  'access-control-allow-origin': origin,
  'access-control-expose-headers': 'retry-after',
  vary: 'origin',
})

/** Has connections from now on shown another certificate; those that are open keep theirs. */
export function showCertificate(app: Http, { cert, key }: ServerCertificate): void {
  if (app.server instanceof HttpsServer) app.server.setSecureContext({ cert, key })
}

const noModels = () => []

/**
 * @throws {Problem} 403 `foreign_model` where the caller does not reach the model that the path
 * names, or a route that names none there asks for every model
 */
function requireModel(request: FastifyRequest, scope: Scope): void {
  const { url = '', config } = request.routeOptions
  if (config.isByModel) return
  const reach = request.reach(scope)
  if (/^\/v1\/models\/:id(?:\/|$)/.test(url)) reach.require((request.params as { id: string }).id)
  else requireEvery(reach, request.caller, scope)
}

/**
 * Takes a token that is refused for nobody's on routes that need no scope, as an unknown key is.
 */
function nobodyBut403(error: unknown): undefined {
  if (error instanceof Problem && error.status !== 403) return undefined
  throw error
}

/**
 * What was changed survives power loss before its caller hears of it; events do already, by the log
 * that took them.
 */
function syncChanges(app: Http, synced: HttpOptions['synced']): void {
  if (!synced) return
  app.addHook('onSend', async (request, reply) => {
    const isChange = !['GET', 'HEAD'].includes(request.method) && reply.statusCode < 400
    if (isChange && request.routeOptions.config.scope !== 'emit') await synced()
  })
}

/**
 * Logs who was answered by a route whose answers are about people; the address, which may hold an
 * id, is told by its template.
 */
function logPersonal(app: Http, log: Logger): void {
  app.addHook(
    'onResponse',
    async ({ caller, id, method, params, routeOptions }, { statusCode }) => {
      const { config, url } = routeOptions
      if (!config.isPersonal) return
      const model = url?.startsWith('/v1/models/:id/') ? (params as { id: string }).id : undefined
      log.info(
        {
          caller: caller?.id ?? null,
          method,
          route: url,
          model,
          status: statusCode,
          request_id: id,
        },
        'personal data was asked for',
      )
    },
  )
}

/**
 * Takes bodies of these content types as bytes, decompressed and within the server's limits, in
 * place of whatever parsers the scope had; they are given back once the request is answered.
 *
 * @param read what the route gets of the bytes
 */
export function takeBodies(
  scope: Http,
  types: string | string[],
  read: (bytes: Buffer, request: FastifyRequest) => unknown = (bytes) => bytes,
): void {
  const held = new WeakMap<FastifyRequest, number>()
  scope.addContentTypeParser(types, async (request: FastifyRequest, payload: Readable) => {
    const body = await readBody(payload, request.headers['content-encoding'], scope.bodyLimits)
    held.set(request, body.held)
    request.spend('bytes', body.bytes.length)
    return read(body.bytes, request)
  })
  scope.addHook('onResponse', async (request) => {
    scope.bodyLimits.budget.giveBack(held.get(request) ?? 0)
    held.delete(request)
  })
}

/**
 * The JSON of a body that is read whole.
 *
 * @param bounds how deep and wide it may be
 * @throws {Problem} 400 `invalid_json` for what is none, or is deeper or wider than such a body may
 *   be
 */
export function jsonOf(bytes: Buffer, bounds: JsonBounds = PARSED_BOUNDS): unknown {
  const why = whyBeyond(bytes, bounds)
  if (why) throw new Problem(400, 'invalid_json', why)
  try {
    return JSON.parse(bytes.toString())
  } catch (error) {
    throw new Problem(400, 'invalid_json', `the body is not JSON: ${messageOf(error)}`)
  }
}

/**
 * @throws {Problem} 421 or 403 for what is addressed to another host, or comes from a page that is
 * not ours
 */
function checkAddress(request: FastifyRequest, options: HttpOptions): void {
  const { method, headers } = request
  const isListed = isListedOrigin(request)
  const refusal = refusalOf(
    {
      method,
      host: headers.host,
      origin: isListed ? undefined : headers.origin,
      fetchSite: isListed ? undefined : headers['sec-fetch-site']?.toString(),
      fetchMode: headers['sec-fetch-mode']?.toString(),
    },
    options.host,
    options.allowedHosts ?? [],
  )
  if (!refusal) return
  const code = refusal.status === 421 ? 'misdirected_request' : 'foreign_origin'
  throw new Problem(refusal.status, code, refusal.detail)
}

/** Listens once everything else has started, and closes before anything else stops. */
export function httpModule(app: Http, options: HttpOptions): Module {
  return {
    name: 'http',
    start: async () => {
      await app.listen({ host: options.host, port: options.port })
    },
    stop: async () => {
      await app.close()
    },
  }
}

/** The address a listening server can be reached at, such as `http://127.0.0.1:8080`. */
export function addressOf(app: Http): string {
  const address = app.addresses().find((a) => typeof a === 'object')
  if (!address) throw new Error('the HTTP server is not listening')
  const protocol = app.server instanceof HttpsServer ? 'https' : 'http'
  return `${protocol}://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`
}
