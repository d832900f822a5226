/** The types of the HTTP server, of what it is built from, and of what it adds to requests. */
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify'
import type { Registry } from 'prom-client'
import type { Authenticate, Caller } from './api-keys.ts'
import type { Scope } from './grants.ts'
import type { DeclaredModels, Reach } from './model-access.ts'
import type { InForce } from '../../schemas/http/config.ts'
import type { Logger } from '../runtime/log.ts'
import type { Readiness } from '../runtime/modules.ts'
import type { Limit, Rates } from './limits/caller-limits.ts'
import type { CodeFlow } from './oidc/code-flow.ts'
import type { ServerCertificate } from './server-certificate.ts'
import type { BodyLimits } from './request-body.ts'

/** The server, whose handlers have the types of their route's TypeBox schemas. */
export type Http = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>

/** What the server is built from. */
export interface HttpOptions {
  host: string
  /** 0 takes a free port. */
  port: number
  /** The certificate that it begins with; absent for plain HTTP. */
  certificate?: ServerCertificate | undefined
  /** Names besides loopback and `host` that a request may be addressed to. */
  allowedHosts?: readonly string[]
  /** Largest body of one request, and bytes of all bodies together, after decompression. */
  maxBodyBytes: number
  maxPendingBytes: number
  log: Logger
  registry: Registry
  readiness: Readiness
  /**
   * Checks that `/health/ready` runs besides "started and not stopping"; each names what is away.
   */
  checks: ReadonlyMap<string, () => Promise<unknown>>
  /** What is waited for and keeps nothing from being ready, each as a sentence. */
  waiting?: (() => readonly string[]) | undefined
  authenticate: Authenticate
  /** What each caller may send in a second; as much as they like unless given. */
  rates?: Rates | undefined
  /** Addresses and ranges whose X-Forwarded-For says whom a request comes from; none unless given. */
  trustedProxies?: readonly string[] | undefined
  /** What callers who may not reach every model are held against; none unless given. */
  declared?: DeclaredModels | undefined
  /** How people sign in at an issuer; absent where they cannot. */
  login?: CodeFlow | undefined
  /** What `GET /v1/config` tells; absent where there is no such route. */
  inForce?: (() => InForce) | undefined
  /**
   * Resolves once all that was stored before survives power loss; absent where surviving a killed
   * process is enough.
   */
  synced?: (() => Promise<void>) | undefined
}

declare module 'fastify' {
  interface FastifyInstance {
    bodyLimits: BodyLimits
  }
  interface FastifyContextConfig {
    /** What a caller's key or roles must allow. */
    scope?: Scope
    /**
     * Whether anybody may ask, known or not; a route says this, its scope, or how else it knows its
     * callers.
     */
    isPublic?: boolean
    /**
     * Whether the handler asks for each model whether the caller reaches it. Other routes with a
     * scope are for callers who reach the model where they lie below `/v1/models/:id`, and for
     * callers who reach every model where they do not.
     */
    isByModel?: boolean
    /** Exact origins, besides our own, whose pages may ask and read the answer (CORS). */
    origins?: readonly string[]
    /** Whether its answers hold what a person was, did or said: who asks is logged. */
    isPersonal?: boolean
    /** The body in the document, of a route that validates its body itself. */
    describedBody?: object
  }
  interface FastifyRequest {
    /** Who sends it, by key or session; undefined when nobody known does. */
    caller: Caller | undefined
    /** Which models the caller may do with what a scope says. */
    reach: (scope: Scope) => Reach
    /**
     * Takes what a request sends from what its caller may, on routes that take events.
     *
     * @throws {Problem} 429 `rate_limited` where nothing is left
     */
    spend: (limit: Limit, amount: number) => void
  }
}
