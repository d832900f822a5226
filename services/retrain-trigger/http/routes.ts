/** The HTTP routes of retrain-trigger. */
import type { Http } from '../../../lib/http/server.ts'
import { requirePrintable } from '../../../lib/events/text-rules.ts'
import { addAlertsIn } from './alert-routes.ts'
import { addAuditLog, addReplay } from './audit-routes.ts'
import {
  addApprovalFor,
  addDelegation,
  addDelegationList,
  addRevocation,
} from './delegation-routes.ts'
import type { RetrainRoutesOptions } from './options.ts'
import { addApproval, addCancellation, addJobReport, addRejection } from './run-answer-routes.ts'
import { addLinkOpening, addLinkUse } from './link-routes.ts'
import { addPolicies, addPolicyTrial } from './trial-routes.ts'
import { addGoOn, addHold, addRollBack } from './rollout-routes.ts'
import { addDecisionList, addRun, addRunList, addRunRequest } from './run-routes.ts'

/**
 * Adds the routes of runs, decisions, alerts and the audit log; a body with a text that
 * no store keeps is refused on each.
 */
export function retrainRoutes(http: Http, options: RetrainRoutesOptions): void {
  void http.register(async (scope: Http) => {
    scope.addHook('preHandler', async ({ body }) => requirePrintable('body', body))
    for (const add of ROUTES) add(scope, options)
    await scope.register(async (own: Http) => addAlertsIn(own, options))
  })
}

const ROUTES = [
  addRunList,
  addRunRequest,
  addRun,
  addDecisionList,
  addApproval,
  addApprovalFor,
  addDelegationList,
  addDelegation,
  addRevocation,
  addLinkOpening,
  addLinkUse,
  addRejection,
  addCancellation,
  addHold,
  addGoOn,
  addRollBack,
  addJobReport,
  addAuditLog,
  addReplay,
  addPolicies,
  addPolicyTrial,
]
