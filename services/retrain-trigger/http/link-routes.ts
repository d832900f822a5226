/** Routes by which one person answers one run once, by a link and without a key. */
import { Counter } from 'prom-client'
import type { Http } from '../../../lib/http/server.ts'
import { Problem } from '../../../lib/runtime/errors.ts'
import type { Metrics } from '../../../lib/runtime/metrics.ts'
import { answersToBody } from '../../../schemas/http/errors.ts'
import {
  OpenLinkAnswer,
  OpenLinkBody,
  UseLinkAnswer,
  UseLinkBody,
} from '../../../schemas/http/runs/approval-links.ts'
import { answerByLink, LINK_REFUSALS, requireLink } from '../queries/approvals/links.ts'
import { readRunHistory } from '../queries/run-history.ts'
import { readRun } from '../queries/runs.ts'
import { LINK_OUTCOMES, type LinkOutcome, type RetrainRoutesOptions } from './options.ts'
import { tags } from './parameters.ts'

/** Has each link that somebody shows counted by what came of it. */
export function linkCounter({ registry }: Pick<Metrics, 'registry'>): (of: LinkOutcome) => void {
  const counter = new Counter({
    name: 'plumbline_approval_links_total',
    help: 'Links of approvals that were shown, by what came of it: opened, answered, answer_refused, forged, other_run, used, expired, revoked.',
    labelNames: ['outcome'],
    registers: [registry],
  })
  for (const outcome of LINK_OUTCOMES) counter.inc({ outcome }, 0)
  return (outcome) => counter.inc({ outcome })
}

/** Counts what a link came to, whichever way it ends. */
async function counted<T>(
  { count }: RetrainRoutesOptions['links'],
  good: 'opened' | 'answered',
  work: () => Promise<T>,
): Promise<T> {
  try {
    const result = await work()
    count(good)
    return result
  } catch (error) {
    const code = error instanceof Problem ? error.code : ''
    count(LINK_REFUSALS.find((one) => code === `link_${one}`) ?? 'answer_refused')
    throw error
  }
}

/** Adds `POST /v1/approval-links/open`, which changes nothing. */
export function addLinkOpening(http: Http, { engine, links }: RetrainRoutesOptions): void {
  http.post(
    '/v1/approval-links/open',
    {
      bodyLimit: 4096,
      config: { isPublic: true },
      schema: {
        summary: 'The run that a link is for, with its evidence; the link is not used',
        description: 'Needs no key: the token of the link says who asks, for this run alone.',
        tags,
        body: OpenLinkBody,
        response: answersToBody({ 200: OpenLinkAnswer }, 409),
      },
    },
    ({ body }) =>
      counted(links, 'opened', async () => {
        const { postgres, now } = engine.ledger
        const shown = { token: body.token, runId: body.run_id, keys: links.keys() }
        const { person, expires_at } = await requireLink(postgres, shown, new Date(now()))
        const run = await readRun(postgres, body.run_id)
        return {
          person,
          expires_at,
          run: { ...run!, ...(await readRunHistory(postgres, body.run_id)) },
        }
      }),
  )
}

/** Adds `POST /v1/approval-links/use`. */
export function addLinkUse(http: Http, { engine, links, wake }: RetrainRoutesOptions): void {
  http.post(
    '/v1/approval-links/use',
    {
      bodyLimit: 65_536,
      config: { isPublic: true },
      schema: {
        summary: 'Approves or refuses the run that a link is for; the link is used then',
        description: 'Needs no key: the token of the link says who answers, for this run alone.',
        tags,
        body: UseLinkBody,
        response: answersToBody({ 200: UseLinkAnswer }, 404, 409),
      },
    },
    ({ body }) =>
      counted(links, 'answered', async () => {
        const shown = { token: body.token, runId: body.run_id, keys: links.keys() }
        const { act, message } = body
        const run = await answerByLink(engine.ledger, shown, { act, message })
        wake()
        return run
      }),
  )
}
