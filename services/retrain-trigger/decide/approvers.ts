/** Whether a person may approve a run, by whoever asked for it and whoever has approved it. */
import { isSamePerson } from '../../../lib/runtime/person-names.ts'

/** What is known of a run that awaits approval. */
export interface Approvable {
  requested_by: string
  approvals_needed: number
  /** Who has approved. */
  approvals: readonly string[]
  /** In whose stead some of them did. */
  delegated: readonly { by: string; for: string }[]
}

/** Why an approval is refused. */
export interface ApproverRefusal {
  code: 'already_approved' | 'own_request'
  message: string
}

/**
 * Why a person may not approve a run; undefined where they may. Whoever approves in another's stead
 * counts as both of them: neither may have asked for the run or have a part in an approval of it.
 *
 * @param inStead in whose stead `actor` approves; undefined where in their own name
 */
export function approverRefusal(
  { requested_by, approvals_needed: needed, approvals, delegated }: Approvable,
  actor: string,
  inStead: string | undefined,
): ApproverRefusal | undefined {
  const persons = inStead === undefined ? [actor] : [actor, inStead]
  const has = (name: string) => persons.find((person) => isSamePerson(person, name))
  const taken = [...approvals, ...delegated.map((one) => one.for)].find(has)
  const as = inStead === undefined ? '' : ` for ${inStead}`
  if (taken !== undefined)
    return {
      code: 'already_approved',
      message: `${has(taken)} has a part in an approval of this run${as && `, and ${actor} would approve${as}`}; another person is needed`,
    }
  const asked = has(requested_by)
  if (asked === undefined) return undefined
  const others = needed > 1 ? 'two other people' : 'another person'
  return {
    code: 'own_request',
    message: `${asked} asked for this run${as && `, and ${actor} would approve${as}`}; ${others} must approve it`,
  }
}
