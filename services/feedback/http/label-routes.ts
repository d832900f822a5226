import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import type { Model } from '../../../lib/models/model-files.ts'
import type { Postgres } from '../../../lib/postgres/port.ts'
import type { Http } from '../../../lib/http/server.ts'
import { answers } from '../../../schemas/http/errors.ts'
import { AgreementAnswer, DaysQuery, LabelReport } from '../../../schemas/http/labels/answers.ts'
import { ModelPath } from '../../../schemas/http/parts.ts'
import { goldMeasures } from '../data/gold/gold-measures.ts'
import { judgeAgreements } from '../data/judges/judge-agreement.ts'
import { isNumberAnswer } from '../data/judges/judgement.ts'
import { labelerOf } from '../data/judges/judge.ts'
import { reviewerAgreement } from '../data/reviewer-agreement.ts'
import { goldGiven, goldInUse } from '../queries/gold/known-answers.ts'
import { sharedLabels } from '../queries/judges/shared-labels.ts'
import { labelReport } from '../queries/label-report.ts'
import { taskAnswers } from '../queries/task-answers.ts'

/** What the routes ask. */
export interface LabelRoutesOptions {
  db: ClickHouse
  postgres: Postgres
  now: () => number
  modelOf: (modelId: string) => Model
}

/** Registers the routes that tell of a model's labels. */
export function labelRoutes(http: Http, options: LabelRoutesOptions): void {
  reportRoute(http, options)
  agreementRoute(http, options)
}

function reportRoute(http: Http, { db, now }: LabelRoutesOptions): void {
  http.get(
    '/v1/models/:id/labels',
    {
      config: { scope: 'read' },
      schema: {
        summary:
          'What is odd about the labels of a model: refused, respelled, early, ahead, waiting',
        tags: ['models'],
        params: ModelPath,
        querystring: DaysQuery,
        response: answers({ 200: LabelReport }),
      },
    },
    ({ params, query }) => labelReport(db, { modelId: params.id, days: query.days, now: now() }),
  )
}

function agreementRoute(http: Http, { db, postgres, now, modelOf }: LabelRoutesOptions): void {
  http.get(
    '/v1/models/:id/agreement',
    {
      config: { scope: 'read' },
      schema: {
        summary:
          'How far the reviewers of a model agree, how they answer what is known, and judges with people',
        tags: ['models'],
        params: ModelPath,
        querystring: DaysQuery,
        response: answers({ 200: AgreementAnswer }),
      },
    },
    async ({ params, query }) => {
      const days = query.days
      const from = now() - days * 86_400_000
      const modelId = params.id
      const drawn = await taskAnswers(db, { modelId, from })
      const given = await goldGiven(postgres, { modelId, from })
      const model = modelOf(modelId)
      const asked = new Map(model.judges.map((one) => [labelerOf(one), isNumberAnswer(one.answer)]))
      const shared = await sharedLabels(db, { modelId, from })
      return {
        model_id: modelId,
        days,
        ...reviewerAgreement(drawn, model.labels.values === 'number'),
        gold: goldMeasures({
          inUse: await goldInUse(postgres, modelId),
          given,
          drawn,
          classes: twoClasses(model),
        }),
        judges: judgeAgreements(shared, (labeler) => asked.get(labeler)),
      }
    },
  )
}

/** The positive class and the other one; undefined of a model that has not two. */
function twoClasses({ classes, positiveClass }: Model): [string, string] | undefined {
  const others = classes.filter((name) => name !== positiveClass)
  return classes.length === 2 && others.length === 1 ? [positiveClass, others[0]!] : undefined
}
