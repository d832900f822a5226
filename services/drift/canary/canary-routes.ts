import { largest, smallest } from '../../../lib/stats/samples/extremes.ts'
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import { Problem } from '../../../lib/runtime/errors.ts'
import type { Http } from '../../../lib/http/server.ts'
import type { Models } from '../../../lib/models/model-files.ts'
import { CanaryAnswer, CanaryQuery } from '../../../schemas/http/canary.ts'
import { answers } from '../../../schemas/http/errors.ts'
import { ModelPath } from '../../../schemas/http/parts.ts'
import { readPairs } from './canary-pairs.ts'
import { MAX_UNITS, readArms } from './canary-queries.ts'
import { evaluateCanary } from '../../../lib/stats/canary/compare-arms.ts'
import { evaluateOverTime } from './over-time.ts'
import type { DriftQueries } from '../queries/drift-queries.ts'
import { completeUntil, progressOf } from '../plan/due-windows.ts'
import { withHorizon } from '../plan/label-horizon.ts'

/** What the comparison of two versions reads from. */
export interface CanaryRoutesOptions {
  db: ClickHouse
  queries: Pick<DriftQueries, 'partitions' | 'learnedHorizon'>
  models: Models
  now: () => number
}

/** Registers `GET /v1/models/{id}/canary`. */
export function canaryRoutes(http: Http, { db, queries, models, now }: CanaryRoutesOptions): void {
  http.get(
    '/v1/models/:id/canary',
    {
      config: { scope: 'read' },
      schema: {
        summary:
          'A candidate beside the champion, on the same days; may be asked after every event',
        tags: ['models'],
        params: ModelPath,
        querystring: CanaryQuery,
        response: answers({ 200: CanaryAnswer }, 404),
      },
    },
    async ({ params, query }) => {
      const declared = models.get(params.id)
      const { champion, candidate, by, alpha, share, paired, looks } = query
      if (champion === candidate)
        throw new Problem(400, 'bad_request', 'champion and candidate must differ')
      if (paired && share !== undefined)
        throw new Problem(
          400,
          'bad_request',
          'pairs have no share: every request is answered twice',
        )
      const model = withHorizon(declared, await queries.learnedHorizon(declared.modelId))
      const at = now()
      const reached = progressOf(await queries.partitions(model.modelId), model, at)
      const arms = await (paired ? readPairs : readArms)(db, model, {
        by,
        champion,
        candidate,
        from: query.from === undefined ? 0 : Date.parse(query.from),
        completeUntil: completeUntil(reached, model, at),
        looks,
      })
      if (!arms)
        throw new Problem(
          404,
          'not_concurrent',
          `${champion} and ${candidate} have no predictions of the same days that are older than the label horizon`,
        )
      const worth = model.businessValue && Object.values(model.businessValue)
      const options = {
        alpha,
        share,
        worthRange: worth && { low: smallest(worth), high: largest(worth) },
      }
      const answer = evaluateCanary(arms.champion, arms.candidate, options)
      const cut = [arms.champion, arms.candidate].some((arm) => arm.units === MAX_UNITS)
      return {
        model_id: model.modelId,
        by,
        paired,
        champion,
        candidate,
        from: new Date(arms.from).toISOString(),
        to: new Date(arms.to).toISOString(),
        units: {
          champion: arms.champion.units,
          candidate: arms.candidate.units,
          crossed: arms.crossed,
        },
        ...(cut && { note: `of each arm the first ${MAX_UNITS} units` }),
        alpha,
        ...answer,
        ...(looks > 0 && { looks: await evaluateOverTime(arms, options) }),
      }
    },
  )
}
