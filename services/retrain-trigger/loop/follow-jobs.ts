/**
 * Asks the systems that run jobs how they go, and has them cancel what was called off. The store
 * says which jobs are due, so that any process may ask, and each is asked after by one at a time.
 */
import { backoffMs } from '../../../lib/runtime/clock.ts'
import { messageOf } from '../../../lib/runtime/errors.ts'
import type { Module } from '../../../lib/runtime/modules.ts'
import { pollLoop } from '../../../lib/runtime/poll-loop.ts'
import type { Launch } from '../../../schemas/launch.ts'
import type { SystemLaunch } from '../../../schemas/launch-systems.ts'
import { failRun } from '../launchers/job.ts'
import { originOf, type Launcher } from '../launchers/launch.ts'
import { askAfter, cancelJob, endsWithinMs, pollMs } from '../launchers/remote-job.ts'
import type { JobStatus } from '../launchers/systems/system.ts'
import { endJob, markToCancel, putOffJob, takeDueJobs, type DueJob } from '../queries/jobs.ts'
import { reportRun } from '../queries/reports.ts'
import { HAS_JOB, type Run } from '../queries/run-record.ts'

const LOOK_MS = 1000
const LONGEST_IDLE_MS = 5000
/** How long a process has to ask after what it took, before others take it too. */
const TAKEN_FOR_MS = 6 * 60_000
const LONGEST_POLL_MS = 5 * 60_000
/** Times in a row that a system does not know a job before the run fails. */
const MAX_GONE = 5
/** Tries to cancel a job before it is left alone: a day and more. */
const MAX_CANCELS = 300

/** How the policy of a run starts jobs; undefined where its model file no longer has the policy. */
export type LaunchOfRun = (run: Pick<Run, 'model_id' | 'policy' | 'step'>) => Launch | undefined

/** Follows jobs; each system by itself, so that one that hangs holds up its own jobs alone. */
export interface JobFollower {
  /** Begins to ask after the jobs that are due, or to have them cancelled; resolves with how many. */
  look: () => Promise<number>
  /** Resolves once nothing that was begun is under way. */
  settled: () => Promise<void>
}

/** Makes a follower that has nothing under way. */
export function jobFollower(jobs: Launcher, launchOf: LaunchOfRun): JobFollower {
  const { ledger } = jobs
  /** What is under way, by the address of the system. */
  const underWay = new Map<string, Promise<void>>()
  const begin = async (system: string, due: readonly DueJob[]) => {
    if (underWay.has(system)) return putOffAll(jobs, due)
    const all = due.map((job) => followQuietly(jobs, launchOf(job.run), job))
    const done = Promise.all(all).then(() => void underWay.delete(system))
    underWay.set(system, done)
  }
  return {
    look: async () => {
      const now = ledger.now()
      const due = await takeDueJobs(ledger.postgres, { now, until: now + TAKEN_FOR_MS })
      const bySystem = Map.groupBy(due, ({ run }) => systemAddress(launchOf(run)))
      for (const [system, own] of bySystem) await begin(system, own)
      return due.length
    },
    settled: async () => void (await Promise.all(underWay.values())),
  }
}

const systemAddress = (launch: Launch | undefined): string =>
  isOfSystem(launch) ? originOf(launch.url) : ''

const isOfSystem = (launch: Launch | undefined): launch is SystemLaunch =>
  launch !== undefined && launch.kind !== 'webhook' && launch.kind !== 'command'

/** Their system has not answered yet about those before them. */
async function putOffAll({ ledger }: Launcher, due: readonly DueJob[]): Promise<void> {
  const dueAt = ledger.now() + LONGEST_IDLE_MS
  for (const { run, failures } of due)
    await putOffJob(ledger.postgres, run.run_id, { dueAt, failures })
}

/** The follower as a part of the process. */
export function followJobs(jobs: Launcher, launchOf: LaunchOfRun): Module {
  const follower = jobFollower(jobs, launchOf)
  const { module } = pollLoop({
    name: 'retrain jobs',
    everyMs: LOOK_MS,
    longestIdleMs: LONGEST_IDLE_MS,
    step: async () => ({ isIdle: (await follower.look()) === 0 }),
    onError: (error) => jobs.log.error({ error: messageOf(error) }, 'jobs not read, trying again'),
  })
  return {
    ...module,
    run: async (signal) => {
      await module.run!(signal)
      await follower.settled()
    },
  }
}

/** What goes wrong with one job is that job's: it is due again when the time it was taken for is over. */
async function followQuietly(
  jobs: Launcher,
  launch: Launch | undefined,
  job: DueJob,
): Promise<void> {
  const { run } = job
  try {
    if (!isOfSystem(launch)) {
      jobs.log.warn({ run_id: run.run_id }, 'the policy that started the job is gone: not followed')
      await endJob(jobs.ledger.postgres, run.run_id)
    } else if (job.isToCancel) await cancel(jobs, launch, job)
    else await follow(jobs, launch, job)
  } catch (error) {
    jobs.log.error({ run_id: run.run_id, error: messageOf(error) }, 'job not followed')
  }
}

async function cancel(jobs: Launcher, launch: SystemLaunch, job: DueJob): Promise<void> {
  const { ledger, log } = jobs
  const { run, failures } = job
  const problem = await cancelJob(jobs, run, launch, job)
  if (problem !== undefined && failures < MAX_CANCELS) {
    log.warn({ run_id: run.run_id, error: problem }, 'job not cancelled, trying again')
    const dueAt = ledger.now() + backoffMs(failures, LOOK_MS, LONGEST_POLL_MS)
    await putOffJob(ledger.postgres, run.run_id, { dueAt, failures: failures + 1 })
    return
  }
  if (problem !== undefined)
    log.error({ run_id: run.run_id, error: problem }, 'job not cancelled, and left alone')
  await endJob(ledger.postgres, run.run_id)
  if (HAS_JOB.includes(run.state)) {
    const message = `the job did not end within ${launch.ends_within ?? '24h'}`
    await reportRun(ledger, run.run_id, 'launcher', { state: 'timed_out', message })
  }
}

async function follow(jobs: Launcher, launch: SystemLaunch, job: DueJob): Promise<void> {
  const { ledger } = jobs
  const { run, launchedAt } = job
  // A job that has reported its own end needs no more asking.
  if (!HAS_JOB.includes(run.state)) return endJob(ledger.postgres, run.run_id)
  const status = await askAfter(jobs, run, launch, job)
  const now = ledger.now()
  if ('problem' in status) {
    const failures = job.failures + 1
    if (status.isGone && failures >= MAX_GONE) {
      await failRun(ledger, run, `${status.problem}: ${job.id}`)
      return endJob(ledger.postgres, run.run_id)
    }
    jobs.log.warn(
      { run_id: run.run_id, error: status.problem },
      'job not asked after, trying again',
    )
    const pause = Math.max(pollMs(launch), backoffMs(failures, LOOK_MS, LONGEST_POLL_MS))
    return putOffJob(ledger.postgres, run.run_id, { dueAt: now + pause, failures })
  }
  if (await isEnded(jobs, job, status)) return endJob(ledger.postgres, run.run_id)
  if (launchedAt !== undefined && now - launchedAt > endsWithinMs(launch))
    return markToCancel(ledger.postgres, run.run_id, now)
  await putOffJob(ledger.postgres, run.run_id, {
    dueAt: now + pollMs(launch),
    failures: 0,
    ...status.job,
  })
}

/** Records what a system says of a job; true where it has ended. */
async function isEnded(
  { ledger }: Launcher,
  { run }: DueJob,
  { state, message = '' }: JobStatus,
): Promise<boolean> {
  if (state === 'running' && run.state === 'launching')
    await reportRun(ledger, run.run_id, 'launcher', { state: 'running', message })
  if (state === 'succeeded')
    await reportRun(ledger, run.run_id, 'launcher', { state: 'succeeded', message })
  if (state === 'failed' || state === 'cancelled')
    await failRun(ledger, run, message || `the job has ${state}`)
  return state === 'succeeded' || state === 'failed' || state === 'cancelled'
}
