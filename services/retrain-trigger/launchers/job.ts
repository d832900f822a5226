/** What a job is given, and what every kind of launch needs. */
import type { LaunchValues } from '../../../lib/models/launch-templates.ts'
import type { GuardedFetch } from '../../../lib/http/outgoing/guarded-fetch.ts'
import type { Tokens } from '../../../lib/http/oidc/client-credentials.ts'
import type { Logger } from '../../../lib/runtime/log.ts'
import type { DatasetReader } from '../queries/dataset.ts'
import type { Ledger } from '../queries/ledger.ts'
import type { Run } from '../queries/run-record.ts'
import { newRunToken } from '../queries/run-token.ts'
import { reportRun } from '../queries/reports.ts'
import { addTokenHash } from '../queries/run-transitions.ts'

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
  /** The value of a variable that a header names; undefined where it is not set. */
  environment: (name: string) => string | undefined
  /** Sends what model files ask for, where that may go. */
  fetch: GuardedFetch
  /** Tokens that requests show whose policy names a client. */
  tokens: Tokens
  /** Reads the manifest of the data set of a run. */
  readDataset: DatasetReader
  /** Ends requests about jobs that are under way. */
  following: AbortSignal
  /** Draws from 0 up to 1, for the jitter of back-offs. */
  random: () => number
  /** How long an endpoint may take, where its policy does not say. */
  timeoutMs?: number
}

/** What templates may name of a run, with a new token by which its job reports. */
export async function valuesOf(
  { ledger, publicUrl }: LaunchOptions,
  run: Run,
): Promise<LaunchValues> {
  const { token, hash } = newRunToken()
  await addTokenHash(ledger.postgres, run.run_id, hash)
  return valuesWith(run, `${publicUrl()}/v1/runs/${run.run_id}/status?token=${token}`)
}

/** What templates may name of a run, with the address that its job reports to; '' for none. */
export const valuesWith = (run: Run, statusUrl: string): LaunchValues => ({
  run_id: run.run_id,
  model_id: run.model_id,
  policy: run.policy,
  reason: run.reason,
  window_end: run.window_end ?? '',
  created_at: run.created_at,
  status_url: statusUrl,
  model_file_sha256: run.configuration?.model_file_sha256 ?? '',
  code_sha256: run.configuration?.code_sha256 ?? '',
  dataset_sha256: run.dataset?.sha256 ?? '',
  dataset: run.dataset ? JSON.stringify(run.dataset) : '',
  ...(run.step && {
    action: run.step.action,
    share: String(run.step.share),
    new_version: run.step.new_version,
    current_version: run.step.current_version,
  }),
})

/** The JSON that a job is given where its policy writes no body of its own. */
export const jobText = ({ created_at, ...values }: LaunchValues): string =>
  JSON.stringify({
    type: values.share === undefined ? 'plumbline.retrain' : 'plumbline.promote',
    timestamp: created_at,
    data: {
      ...values,
      ...(values.share !== undefined && { share: Number(values.share) }),
      window_end: values.window_end === '' ? null : values.window_end,
      dataset: values.dataset === '' ? null : (JSON.parse(values.dataset) as unknown),
    },
  })

/** Ends a run in the launcher's name, with why. */
export const failRun = (ledger: Ledger, run: Run, message: string): Promise<Run> =>
  reportRun(ledger, run.run_id, 'launcher', { state: 'failed', message })
