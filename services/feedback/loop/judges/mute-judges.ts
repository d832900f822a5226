/** Mutes judges that agree with people less than their model file asks for. */
import type { ClickHouse } from '../../../../lib/clickhouse/port.ts'
import type { Model, Models } from '../../../../lib/models/model-files.ts'
import type { Postgres } from '../../../../lib/postgres/port.ts'
import type { Logger } from '../../../../lib/runtime/log.ts'
import type { ModelJudge } from '../../../../schemas/language-models/judges.ts'
import { judgeAgreements, muteReason } from '../../data/judges/judge-agreement.ts'
import { isNumberAnswer } from '../../data/judges/judgement.ts'
import { labelerOf, labelNameOf } from '../../data/judges/judge.ts'
import { sharedLabels } from '../../queries/judges/shared-labels.ts'
import { muteVersion, versionState } from '../../queries/judges/versions.ts'
import { attemptItem, type ItemFailures } from '../item-failures.ts'
import { versionOf } from '../../queries/judges/standing.ts'

/** What muting reads from, and where it is kept. */
export interface Muting {
  db: ClickHouse
  postgres: Postgres
  models: Pick<Models, 'declared'>
  failures: ItemFailures
  log: Pick<Logger, 'warn'>
  now: () => number
}

/** In whose name judges are muted. */
const ACTOR = 'agreement with people'

/** Looks at each judge that has a floor; one that cannot be looked at is passed by. */
export async function muteJudges(muting: Muting): Promise<void> {
  for (const model of muting.models.declared)
    for (const judge of model.judges)
      if (judge.mute_below)
        await attemptItem(
          muting.failures,
          'judge agreement',
          `${model.modelId}/${judge.name}`,
          () => muteOne(muting, model, judge),
        )
}

async function muteOne(
  { db, postgres, log, now }: Muting,
  { modelId }: Model,
  judge: ModelJudge,
): Promise<void> {
  const of = versionOf(modelId, judge)
  const state = await versionState(postgres, of)
  if (!state || state.mutedAt !== undefined) return
  const labeler = labelerOf(judge)
  const labels = await sharedLabels(db, { modelId, from: state.agreementFrom, labeler })
  const isNumber = isNumberAnswer(judge.answer)
  const found = judgeAgreements(labels, () => isNumber).find(
    ({ label }) => label === labelNameOf(judge),
  )
  const reason = found && muteReason(found, judge.mute_below!)
  if (reason === undefined) return
  if (await muteVersion(postgres, of, { actor: ACTOR, reason, now: now() }))
    log.warn({ model_id: modelId, judge: labeler, reason }, 'a judge is muted')
}
