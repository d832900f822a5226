/**
 * Holds callers to their limits on every route that takes events: before the body is read where
 * nothing may be sent, and again when its bytes, and then its events, are known.
 *
 * `@fastify/rate-limit` counts requests, one by one; these count what is in them.
 */
import { Counter, Gauge, type Registry } from 'prom-client'
import { Problem } from '../../runtime/errors.ts'
import type { FastifyRequest } from 'fastify'
import type { Http } from '../server-types.ts'
import { networkOf } from './addresses.ts'
import { callerLimits, LIMITS, type Limit, type LimitReached, type Rates } from './caller-limits.ts'

/**
 * The settings of the limits: what each caller may send to one process in a second, 0 for as much as
 * they like.
 */
export interface RateSettings {
  PLUMBLINE_PROCESS_RATE_EVENTS_PER_SECOND: number
  PLUMBLINE_PROCESS_RATE_BYTES_PER_SECOND: number
  /** So many seconds' worth may be sent at once. */
  PLUMBLINE_PROCESS_RATE_BURST_SECONDS: number
}

/** The rates that settings limit. */
export function ratesOf(settings: RateSettings): Rates {
  const {
    PLUMBLINE_PROCESS_RATE_EVENTS_PER_SECOND: events,
    PLUMBLINE_PROCESS_RATE_BYTES_PER_SECOND: bytes,
  } = settings
  const rate = (perSecond: number) => ({
    perSecond,
    burst: perSecond * settings.PLUMBLINE_PROCESS_RATE_BURST_SECONDS,
  })
  return { ...(events > 0 && { events: rate(events) }), ...(bytes > 0 && { bytes: rate(bytes) }) }
}

/**
 * Adds `request.spend`, and refuses requests of callers who have nothing left.
 *
 * @param nowMs a clock that never goes back
 */
export function addRateLimits(
  app: Http,
  rates: Rates,
  registry: Registry,
  nowMs: () => number = () => performance.now(),
): void {
  const limits = callerLimits(rates)
  const refused = limitMetrics(registry, limits.size)
  const isLimited = Object.keys(rates).length > 0
  const refuse = (request: FastifyRequest, reached: LimitReached | undefined) => {
    if (!reached) return
    refused.inc({ limit: reached.limit })
    throw tooMuch(nameOf(request), reached)
  }
  const counts = ({ routeOptions }: FastifyRequest) =>
    isLimited && routeOptions.config.scope === 'emit'
  app.decorateRequest('spend', function (this: FastifyRequest, limit: Limit, amount: number) {
    if (counts(this)) refuse(this, limits.take(keyOf(this), limit, amount, nowMs()))
  })
  app.addHook('onRequest', async (request) => {
    if (counts(request)) refuse(request, limits.reached(keyOf(request), nowMs()))
  })
}

function limitMetrics(registry: Registry, callers: () => number): Counter<'limit'> {
  const registers = [registry]
  new Gauge({
    name: 'plumbline_rate_limit_callers',
    help: 'Callers whose limits are remembered.',
    registers,
    collect() {
      this.set(callers())
    },
  })
  const refused = new Counter({
    name: 'plumbline_rate_limited_requests_total',
    help: 'Requests that were answered 429 because their caller has sent as much as they may, by what they sent too much of.',
    labelNames: ['limit'],
    registers,
  })
  for (const limit of LIMITS) refused.inc({ limit }, 0)
  return refused
}

/** Several keys of one caller share their limits, so that a rotation does not double them. */
const keyOf = ({ caller, ip }: FastifyRequest): string =>
  caller?.isKnown ? `caller ${caller.id}` : `address ${networkOf(ip)}`

const nameOf = ({ caller, ip }: FastifyRequest): string =>
  caller?.isKnown ? caller.id : networkOf(ip)

function tooMuch(name: string, { limit, rate, retryAfterS }: LimitReached): Problem {
  const { perSecond, burst } = rate
  return new Problem(
    429,
    'rate_limited',
    `${name} may send ${perSecond} ${limit} a second to one process, ${burst} at once, and has: try again in ${retryAfterS} s`,
    { 'retry-after': String(retryAfterS) },
    { limit, per_second: perSecond, burst, retry_after_s: retryAfterS },
  )
}
