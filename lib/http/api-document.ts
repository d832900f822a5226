/** The OpenAPI document of all routes, and the page on which a person reads and tries it. */
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fastifySwagger from '@fastify/swagger'
import type { FastifySchema, RouteOptions } from 'fastify'
import { answers, ProblemDocument, RpcStatus } from '../../schemas/http/errors.ts'
import { DocumentAnswer } from '../../schemas/http/platform.ts'
import type { Http } from './server-types.ts'

/** The page's code and style, from the package; its plugin, with pages of its own, is not used. */
const SWAGGER_UI_DIR = join(
  dirname(fileURLToPath(import.meta.resolve('@fastify/swagger-ui'))),
  'static',
)
const SWAGGER_UI_FILES = ['swagger-ui-bundle.js', 'swagger-ui.css']

const DESCRIPTION = `Every answer that is not a success is a problem document (RFC 9457) whose \`detail\` is one sentence that names the field and the rule.

Where keys (\`PLUMBLINE_AUTH_FILE\`) or an issuer of tokens (\`PLUMBLINE_OIDC_ISSUER\`) are set, each operation says which scope its caller needs: \`emit\`, \`read\`, \`review\` or \`operate\`. Where none are set, none is needed. Names are snake_case, times are RFC 3339 in UTC, and 64-bit counts of the store are text.`

const TAGS = [
  { name: 'events', description: 'Send predictions, labels and attributes, in any wire format.' },
  { name: 'models', description: 'Read models, their windows, comparisons and canaries.' },
  { name: 'verdicts', description: 'Say what a verdict means: normal, no problem, not now.' },
  { name: 'reviews', description: 'Label what was drawn for human review.' },
  { name: 'retraining', description: 'Ask for runs, approve and report them, and audit it all.' },
  { name: 'alerts', description: 'See who was told of what; send a test.' },
  {
    name: 'data',
    description: 'Make data sets; see what is kept for how long; export and erase a person.',
  },
  { name: 'service', description: 'Health, metrics, sessions of the pages, this document.' },
]

const SECURITY_SCHEMES = {
  key: {
    type: 'http',
    scheme: 'bearer',
    description: 'A key of `PLUMBLINE_AUTH_FILE`, or a token of `PLUMBLINE_OIDC_ISSUER`.',
  },
  session: {
    type: 'apiKey',
    in: 'cookie',
    name: 'plumbline_session',
    description: 'The session of a page; what changes something also needs `x-plumbline-page: 1`.',
  },
  token: { type: 'apiKey', in: 'query', name: 'token', description: 'The token of one run.' },
  feedback: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'The token of one prediction, of `POST /v1/feedback-tokens` or an emitter.',
  },
  signature: {
    type: 'apiKey',
    in: 'header',
    name: 'webhook-signature',
    description: 'A signature of Standard Webhooks with the webhook secret.',
  },
} as const

/**
 * Begins the document: routes that are added afterwards are in it, unless their schema says `hide`.
 */
export async function beginDocument(app: Http): Promise<void> {
  app.addSchema(ProblemDocument)
  app.addSchema(RpcStatus)
  app.addHook('onRoute', requireDescription)
  await app.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Plumbline', version: '1', description: DESCRIPTION },
      tags: TAGS,
      components: { securitySchemes: SECURITY_SCHEMES },
    },
    transform: ({ schema, url, route }) => ({ url, schema: described(schema, route) }),
    refResolver: { buildLocalReference: (json) => (json as { $id: string }).$id },
  })
}

/**
 * Holds that no route is left out of the document, or open to anybody, by mistake.
 *
 * @throws {Error} for a route that lacks a summary, a tag or the schema of its success, or does not
 *   say who may ask, and is
 * no page
 */
function requireDescription({ method, url, schema, config }: RouteOptions): void {
  const isPage = schema?.hide === true && config?.scope === undefined && !url.startsWith('/v1/')
  const response = (schema?.response ?? {}) as Record<string, unknown>
  const hasSuccess = Object.keys(response).some((status) => status.startsWith('2'))
  if (isPage) return
  if (!(schema?.summary && schema.tags?.length === 1 && hasSuccess))
    throw new Error(`${String(method)} ${url} needs a summary, a tag and the schema of its success`)
  const ways = [config?.scope, schema.security, config?.isPublic]
  if (ways.filter((way) => way !== undefined && way !== false).length !== 1)
    throw new Error(`${String(method)} ${url} needs a scope, a security of its own, or isPublic`)
}

/**
 * A route's schema as the document has it: with who may ask, and the body that the route reads
 * itself.
 */
function described(schema: FastifySchema, { config }: RouteOptions): FastifySchema {
  const { scope, describedBody } = config ?? {}
  const security = scope ? [{ key: [scope] }, { session: [] }] : []
  const needs = scope ? `Needs the scope \`${scope}\`, where keys are set.` : undefined
  return {
    security,
    ...(needs !== undefined && { description: needs }),
    ...schema,
    ...(describedBody !== undefined && { body: describedBody }),
  }
}

/** Adds `/docs/json`, the document, and what its page loads. */
export function addDocumentPages(app: Http): void {
  const hidden = { schema: { hide: true } }
  for (const file of SWAGGER_UI_FILES)
    app.get(`/docs/static/${file}`, hidden, async (_request, reply) =>
      reply.sendFile(file, SWAGGER_UI_DIR),
    )
  app.get(
    '/docs/json',
    {
      config: { isPublic: true },
      schema: {
        summary: 'This document, OpenAPI 3.1',
        tags: ['service'],
        response: answers({ 200: DocumentAnswer }),
      },
    },
    async () => app.swagger(),
  )
}
