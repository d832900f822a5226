/** Launches a run by starting a program, as the user of this process. */
import { spawn } from 'node:child_process'
import { messageOf } from '../../../lib/runtime/errors.ts'
import { textProblem } from '../../../lib/events/text-rules.ts'
import type { Run } from '../queries/run-record.ts'
import { keepClaim, type Claim } from '../queries/claims.ts'
import { reportRun } from '../queries/reports.ts'
import { markLaunched } from '../queries/run-transitions.ts'
import { readRun } from '../queries/runs.ts'
import { failRun, jobText, valuesOf, type LaunchOptions } from './job.ts'

/** Characters of a program's standard error that are kept, the last ones. */
const STDERR_KEPT = 1000

/** How long a process that runs a command has it without a sign of life, and how often it gives one. */
const CLAIMED_MS = 60_000
const SIGN_MS = 15_000

/**
 * Marks a run launched, then starts its command; the command's end is recorded whenever it comes.
 * The run stays claimed while this process lives, so that no other one takes it for lost.
 */
export async function startCommand(
  options: LaunchOptions,
  run: Run,
  [file = '', ...args]: readonly string[],
  claim: Claim,
): Promise<void> {
  const { ledger, log } = options
  const stay = () => keepClaim(ledger.postgres, claim, ledger.now() + CLAIMED_MS)
  const job = jobText(await valuesOf(options, run))
  await stay()
  await markLaunched(ledger, run.run_id)
  const signs = setInterval(() => {
    stay().catch((error: unknown) =>
      log.warn({ run_id: run.run_id, error: messageOf(error) }, 'claim of a command not kept'),
    )
  }, SIGN_MS)
  signs.unref()
  const watch = commandEnd(file, args, job)
    .finally(() => clearInterval(signs))
    .then((failure) => recordEnd(options, run, failure))
  void watch.catch((error: unknown) =>
    log.error({ run_id: run.run_id, error: messageOf(error) }, 'end of the command not recorded'),
  )
}

/** Records how a command ended, unless it reported its own end: that is the last word. */
async function recordEnd({ ledger }: LaunchOptions, run: Run, failure: string | undefined) {
  const current = await readRun(ledger.postgres, run.run_id)
  if (current?.state !== 'launching' && current?.state !== 'running') return
  if (failure === undefined) await reportRun(ledger, run.run_id, 'launcher', { state: 'succeeded' })
  else await failRun(ledger, run, failure)
}

/**
 * Runs a command without a shell and with none of our environment; resolves with why it failed, or
 * undefined.
 */
function commandEnd(
  file: string,
  args: readonly string[],
  job: string,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = spawn(file, args, {
      shell: false,
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { PATH: '/usr/local/bin:/usr/bin:/bin', PLUMBLINE_RUN: job },
    })
    let stderr = ''
    child.stderr.on(
      'data',
      (chunk: Buffer) => (stderr = (stderr + chunk.toString()).slice(-STDERR_KEPT)),
    )
    child.once('error', (error) => resolve(`the command did not start: ${error.message}`))
    child.once('exit', (code, signal) =>
      resolve(
        code === 0 ? undefined : `the command ended with ${signal ?? code}: ${printed(stderr)}`,
      ),
    )
  })
}

/** What a command wrote, without what a store refuses. */
const printed = (text: string) =>
  Array.from(text.toWellFormed(), (c) => (textProblem('', c) === undefined ? c : ' '))
    .join('')
    .trim()
