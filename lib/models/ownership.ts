import type { ModelFile } from '../../schemas/model.ts'

/** Whose a model is: what its alerts are routed by, and who is to do what. */
export interface Ownership {
  /** `owner`, `team`, `environment` and `alert_labels` of the model file, where they are given. */
  labels: Readonly<Record<string, string>>
  runbookUrl: string | undefined
}

/** What a model file says of whose the model is; without a word there are no labels. */
export function ownershipOf({
  owner,
  team,
  environment,
  alert_labels,
  runbook_url,
}: ModelFile): Ownership {
  const named = Object.entries({ owner, team, environment })
  return {
    labels: {
      ...alert_labels,
      ...Object.fromEntries(named.flatMap(([name, value]) => (value ? [[name, value]] : []))),
    },
    runbookUrl: runbook_url,
  }
}

/** A model as grants of callers pick it: by its id, its team and its environment. */
export const asGranted = ({
  modelId,
  ownership: { labels },
}: {
  modelId: string
  ownership: Ownership
}) => ({ modelId, team: labels['team'], environment: labels['environment'] })
