/** The routes that tell of a model's judges, and unmute one. */
import { requirePrintable } from '../../../lib/events/text-rules.ts'
import { actorOf } from '../../../lib/http/callers.ts'
import type { Http } from '../../../lib/http/server.ts'
import type { Model } from '../../../lib/models/model-files.ts'
import type { Postgres } from '../../../lib/postgres/port.ts'
import { Problem } from '../../../lib/runtime/errors.ts'
import { answers, answersToBody } from '../../../schemas/http/errors.ts'
import { DaysQuery } from '../../../schemas/http/labels/answers.ts'
import {
  JudgePath,
  JudgesAnswer,
  UnmuteAnswer,
  UnmuteBody,
} from '../../../schemas/http/labels/judges.ts'
import { ModelPath } from '../../../schemas/http/parts.ts'
import type { ModelJudge } from '../../../schemas/language-models/judges.ts'
import { budgetOf, NANO_USD } from '../data/judges/cost.ts'
import { labelNameOf } from '../data/judges/judge.ts'
import { dayOf } from '../queries/judges/budget.ts'
import { judgeRecords } from '../queries/judges/judge-records.ts'
import { standingOf, versionOf, type StandingParts } from '../queries/judges/standing.ts'
import { unmuteVersion } from '../queries/judges/versions.ts'

/** What the routes ask. */
export interface JudgeRoutesOptions extends StandingParts {
  postgres: Postgres
  modelOf: (modelId: string) => Model
}

const DAY_MS = 86_400_000
/** Reasons that are told of a judge. */
const MAX_REASONS = 50

/** Registers the routes of judges. */
export function judgeRoutes(http: Http, options: JudgeRoutesOptions): void {
  listRoute(http, options)
  unmuteRoute(http, options)
}

function listRoute(http: Http, options: JudgeRoutesOptions): void {
  http.get(
    '/v1/models/:id/judges',
    {
      config: { scope: 'read' },
      schema: {
        summary:
          'The judges of a model: whether they are asked, and what became of their questions',
        tags: ['models'],
        params: ModelPath,
        querystring: DaysQuery,
        response: answers({ 200: JudgesAnswer }),
      },
    },
    async ({ params, query }) => {
      const { days } = query
      const model = options.modelOf(params.id)
      return { model_id: params.id, days, judges: await judgesOf(options, model, days) }
    },
  )
}

async function judgesOf(
  options: JudgeRoutesOptions,
  model: Model,
  days: number,
): Promise<JudgesAnswer['judges']> {
  const { postgres, now } = options
  if (model.judges.length === 0) return []
  const records = await judgeRecords(postgres, [model.modelId], {
    day: dayOf(now()),
    since: now() - days * DAY_MS,
  })
  const told: JudgesAnswer['judges'] = []
  for (const judge of model.judges) {
    const of = versionOf(model.modelId, judge)
    const { state, spent, reserved, ...questions } = records.of(of)
    const standing = await standingOf(options, model, judge)
    told.push({
      judge: judge.name,
      version: judge.version,
      label: labelNameOf(judge),
      asks: judge.endpoint?.model ?? 'command',
      prompt: judge.prompt,
      sample: judge.sample,
      standing: standing.kind,
      reason: standing.kind === 'ready' ? '' : standing.reason,
      muted_at: state?.mutedAt === undefined ? null : new Date(state.mutedAt).toISOString(),
      budget_usd: budgetOf(judge) / NANO_USD,
      spent_usd: spent / NANO_USD,
      held_usd: reserved / NANO_USD,
      questions,
      reasons: records.reasonsOf(of).slice(0, MAX_REASONS),
    })
  }
  return told
}

function unmuteRoute(http: Http, { postgres, modelOf, now }: JudgeRoutesOptions): void {
  http.post(
    '/v1/models/:id/judges/:judge/unmute',
    {
      config: { scope: 'operate' },
      schema: {
        summary: 'Has a muted judge asked again',
        tags: ['models'],
        params: JudgePath,
        body: UnmuteBody,
        response: answersToBody({ 200: UnmuteAnswer }, 404, 409),
      },
    },
    async ({ params, body, caller }) => {
      requirePrintable('body', body)
      const actor = actorOf(caller, body.actor)
      const judge = judgeNamed(modelOf(params.id), params.judge)
      if (judge.version !== body.version)
        throw new Problem(
          409,
          'other_version',
          `the judge ${judge.name} has the version ${judge.version}: look at it again`,
        )
      const of = versionOf(params.id, judge)
      const at = now()
      if (!(await unmuteVersion(postgres, of, { actor, reason: body.reason, now: at })))
        throw new Problem(409, 'not_muted', `the judge ${judge.name} is not muted`)
      return {
        model_id: params.id,
        judge: judge.name,
        version: judge.version,
        agreement_from: new Date(at).toISOString(),
      }
    },
  )
}

function judgeNamed({ modelId, judges }: Model, name: string): ModelJudge {
  const judge = judges.find((one) => one.name === name)
  if (!judge) throw new Problem(404, 'not_found', `${modelId} has no judge ${name}`)
  return judge
}
