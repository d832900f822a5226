/** The route that counts tasks and answers. */
import type { Http } from '../../../../lib/http/server.ts'
import { answers } from '../../../../schemas/http/errors.ts'
import { ReviewStatsAnswer } from '../../../../schemas/http/feedback.ts'
import { isAssigned, mayAdjudicate } from '../../data/assignment.ts'
import { pausesOf } from '../../queries/review-pauses.ts'
import {
  reviewStats,
  rulesOf,
  type ReviewStats,
  type ReviewStore,
} from '../../queries/review-tasks.ts'

/** Registers the route of the counts of each model. */
export function statsRoute(http: Http, { reviews }: { reviews: ReviewStore }): void {
  http.get(
    '/v1/reviews/stats',
    {
      config: { scope: 'review', isByModel: true },
      schema: {
        summary: 'Open, leased and answered tasks by model',
        tags: ['reviews'],
        response: answers({ 200: ReviewStatsAnswer }),
      },
    },
    async ({ reach, caller }) => {
      const { has } = reach('review')
      const { has: mayRead } = reach('read')
      const pauses = await pausesOf(reviews.db)
      const own = (await reviewStats(reviews)).filter(({ model_id: id }) => has(id))
      return {
        models: own.map(({ has_gold: hasGold, ...stats }) => ({
          ...(hasGold && !mayRead(stats.model_id) ? inTens(stats) : stats),
          paused: pauses.get(stats.model_id) ?? null,
          // Where no keys are set, the claim says who asks.
          assigned:
            !caller?.isKnown ||
            isAssigned(rulesOf(reviews, stats.model_id).assign, caller.id, caller),
          adjudicates:
            rulesOf(reviews, stats.model_id).adjudicate !== undefined &&
            (!caller?.isKnown ||
              mayAdjudicate(rulesOf(reviews, stats.model_id).adjudicate, caller.id, caller)),
        })),
      }
    },
  )
}

/**
 * Counts of tasks in tens, upwards, for whoever is measured by hidden ones: a count that stays as it
 * was after an answer would tell them.
 */
function inTens(stats: ReviewStats): ReviewStats {
  const rough = (count: number) => Math.ceil(count / 10) * 10
  const { open, done, disputed, impossible, gone } = stats
  return {
    ...stats,
    open: rough(open),
    done: rough(done),
    disputed: rough(disputed),
    impossible: rough(impossible),
    gone: rough(gone),
  }
}
