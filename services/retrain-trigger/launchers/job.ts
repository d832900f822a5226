/** What a job is given, and what every kind of launch needs. */
import type { Logger } from '../../../lib/runtime/log.ts'
import type { Ledger } from '../queries/ledger.ts'
import type { Run } from '../queries/run-record.ts'
import { newRunToken } from '../queries/run-token.ts'
import { addTokenHash, reportRun } from '../queries/run-transitions.ts'

/** What launches need, whatever their kind. */
export interface LaunchOptions {
  ledger: Ledger
  log: Logger
  /** Key of webhook signatures, as `whsec_` and base64. */
  secret: string
  /** Base address of the status callback. */
  publicUrl: () => string
  /** Whether model files may start commands. */
  allowsCommands: boolean
  /** How long an endpoint may take; 15 s unless given. */
  timeoutMs?: number
}

/** The JSON that a job is given, with a new token by which it reports on this run. */
export async function jobOf({ ledger, publicUrl }: LaunchOptions, run: Run): Promise<string> {
  const { token, hash } = newRunToken()
  await addTokenHash(ledger.postgres, run.run_id, hash)
  return JSON.stringify({
    type: 'plumbline.retrain',
    timestamp: run.created_at,
    data: {
      run_id: run.run_id,
      model_id: run.model_id,
      policy: run.policy,
      reason: run.reason,
      window_end: run.window_end,
      status_url: `${publicUrl()}/v1/runs/${run.run_id}/status?token=${token}`,
    },
  })
}

/** Ends a run in the launcher's name, with why. */
export const failRun = (ledger: Ledger, run: Run, message: string): Promise<Run> =>
  reportRun(ledger, run.run_id, 'launcher', { state: 'failed', message })
