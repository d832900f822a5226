/** Who gets the tasks of a model that is assigned. */
import type { Caller } from '../../../lib/http/api-keys.ts'
import type { Assignment } from '../../../lib/models/labels/review-rules.ts'
import { personOf } from '../../../lib/runtime/person-names.ts'

/**
 * Whether a reviewer gets the tasks of a model: they are named, or review for a named team by their
 * key or token. A role for all models is of no team; where no keys are set, whoever says a name has
 * it.
 *
 * @param reviewer as it stands beside their answers
 */
export function isAssigned(
  assign: Assignment | undefined,
  reviewer: string,
  caller: Pick<Caller, 'grants'> | undefined,
): boolean {
  if (assign === undefined) return true
  if (assign.people.some((name) => personOf(name) === personOf(reviewer))) return true
  return (caller?.grants ?? []).some(
    ({ scopes, only }) =>
      scopes.includes('review') && only?.kind === 'team' && assign.teams.includes(only.name),
  )
}

/** Whether a person decides where reviewers of a model disagree: nobody, unless the file names them. */
export const mayAdjudicate = (
  adjudicate: Assignment | undefined,
  reviewer: string,
  caller: Pick<Caller, 'grants'> | undefined,
): boolean => adjudicate !== undefined && isAssigned(adjudicate, reviewer, caller)
