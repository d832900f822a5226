/** The routes by which a process is watched: health and metrics. */
import { promisify } from 'node:util'
import { constants, gzip } from 'node:zlib'
import { answers } from '../../schemas/http/errors.ts'
import { LiveAnswer, MetricsAnswer, ReadyAnswer } from '../../schemas/http/platform.ts'
import { messageOf, Problem } from '../runtime/errors.ts'
import { metricsWriter } from './render-metrics.ts'
import type { Http, HttpOptions } from './server-types.ts'

const compressed = promisify(gzip)
const CHECK_TIMEOUT_MS = 2000
const tags = ['service']
const PUBLIC = { isPublic: true }

/** Adds `/health/live`, `/health/ready` and `/metrics`. */
export function addHealth(app: Http, options: HttpOptions): void {
  app.get(
    '/health/live',
    {
      config: PUBLIC,
      schema: { summary: 'Whether the process runs', tags, response: answers({ 200: LiveAnswer }) },
    },
    async () => ({ status: 'live' as const }),
  )
  app.get(
    '/health/ready',
    {
      config: PUBLIC,
      schema: {
        summary: 'Whether everything has started and every store answers; 503 says what is away',
        tags,
        response: answers({ 200: ReadyAnswer }),
      },
    },
    async () => {
      await requireReady(options)
      const waiting = options.waiting?.() ?? []
      return { status: 'ready' as const, ...(waiting.length > 0 && { waiting: [...waiting] }) }
    },
  )
  const writeMetrics = metricsWriter(options.registry)
  app.get(
    '/metrics',
    {
      config: PUBLIC,
      schema: {
        summary: 'Metrics of the process for Prometheus',
        tags,
        response: { ...answers({}), 200: MetricsAnswer },
      },
    },
    async (request, reply) => {
      void reply.header('content-type', options.registry.contentType)
      const text = await writeMetrics()
      void reply.header('vary', 'accept-encoding')
      if (!/\bgzip\b/.test(request.headers['accept-encoding']?.toString() ?? '')) return text
      // Lines of metrics differ by little: compressed off the main thread, they are a fraction of
      // it.
      const body = await compressed(text, { level: constants.Z_BEST_SPEED })
      return reply.header('content-encoding', 'gzip').send(body as never)
    },
  )
}

/** @throws {Problem} 503 that says what has not started, or is away */
async function requireReady({ readiness, checks }: HttpOptions): Promise<void> {
  if (!readiness.started) throw new Problem(503, 'starting', 'not every module has started')
  if (readiness.stopping) throw new Problem(503, 'stopping', 'the process is stopping')
  const away = await failingChecks(checks)
  if (away.length > 0) throw new Problem(503, 'unavailable', away.join('; '))
}

async function failingChecks(checks: HttpOptions['checks']): Promise<string[]> {
  const results = await Promise.all(
    [...checks].map(async ([name, check]) => {
      let timer: NodeJS.Timeout | undefined
      try {
        await Promise.race([
          check(),
          new Promise((_, reject) => {
            timer = setTimeout(() => reject(new Error('no answer in time')), CHECK_TIMEOUT_MS)
          }),
        ])
        return ''
      } catch (error) {
        return `${name}: ${messageOf(error)}`
      } finally {
        clearTimeout(timer)
      }
    }),
  )
  return results.filter((result) => result !== '')
}
