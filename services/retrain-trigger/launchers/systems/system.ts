/**
 * What a system that runs jobs is to us: the requests by which a run's job is started, found again,
 * asked after and cancelled, and how its answers read. Pure: each system is a file of such
 * functions, and one driver sends their requests.
 */
import type { LaunchValues } from '../../../../lib/models/launch-templates.ts'
import { printable } from '../../../../lib/http/outgoing/refusals.ts'

/** A request, relative to the address of the system. */
export interface SystemRequest {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Begins with `/`; each part that comes from a setting or an answer is escaped. */
  path: string
  /** Those that the system asks for besides. */
  headers?: Readonly<Record<string, string>>
  body?: unknown
}

/** An answer: its body is JSON, or undefined where it is none. */
export interface SystemAnswer {
  status: number
  body: unknown
  /** The `Location` header; '' where there is none. */
  location: string
}

/** A job by the system's own id, and the page that shows it; '' where the system tells none. */
export interface Job {
  id: string
  url: string
}

/** Where a job stands, in the words of runs. */
export type JobState = 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled'

/** What a system says of a job. */
export interface JobStatus {
  state: JobState
  message?: string
  /** Where the system gives a job another id on its way, as a queue does. */
  job?: Job
}

/** What became of a request to start a job: `exists` where one of this run is there already. */
export type Started = Job | 'exists' | undefined

/** One kind of system; `settings` are those of the model file, templates filled. */
export interface JobSystem<S> {
  /**
   * The system has no key that a second start of the same run meets: it is asked for the run's job
   * before each start.
   */
  looksFirst: boolean
  start: (settings: S, run: LaunchValues) => SystemRequest
  /** Undefined where the answer is neither: it is read as a refusal or a failure. */
  started: (answer: SystemAnswer, settings: S) => Started
  /** Why no job was started, of an answer that is a success by its status; '' where it tells none. */
  refusal?: (answer: SystemAnswer) => string
  /** Undefined where a run's job cannot be looked up. */
  find: ((settings: S, run: LaunchValues) => SystemRequest) | undefined
  /** The job of the run in the answer to `find`; undefined where there is none. */
  found: (answer: SystemAnswer, settings: S, run: LaunchValues) => Job | undefined
  status: (settings: S, job: Job) => SystemRequest
  /** Undefined where the answer tells no state. */
  statusOf: (answer: SystemAnswer, settings: S) => JobStatus | undefined
  cancel: (settings: S, job: Job) => SystemRequest
  /**
   * What an answer that is no success means where its status does not say so: it may pass, or there is
   * no such job to ask after or to cancel.
   */
  faultOf?: (answer: SystemAnswer) => 'passing' | 'gone' | undefined
}

/** The name of a run's job, where a system lets it be chosen: letters, digits and dashes. */
export const jobName = ({ run_id }: Pick<LaunchValues, 'run_id'>): string => `plumbline-${run_id}`

/** The parts as a path, each escaped. */
export const pathOf = (...parts: readonly (string | number)[]): string =>
  parts.map((part) => `/${encodeURIComponent(part)}`).join('')

/** A member of JSON by its path; undefined where there is none. */
export function member(value: unknown, ...path: readonly (string | number)[]): unknown {
  let here = value
  for (const key of path) {
    if (here === null || typeof here !== 'object' || !Object.hasOwn(here, key)) return undefined
    here = (here as Record<string | number, unknown>)[key]
  }
  return here
}

/** The member as printable text, numbers too; '' where it is neither. */
export function textAt(value: unknown, ...path: readonly (string | number)[]): string {
  const found = member(value, ...path)
  if (typeof found === 'string') return printable(found.slice(0, MAX_TEXT))
  return typeof found === 'number' ? String(found) : ''
}

/** The member as a list; empty where it is none. */
export function listAt(value: unknown, ...path: readonly (string | number)[]): readonly unknown[] {
  const found = member(value, ...path)
  return Array.isArray(found) ? found : []
}

const MAX_TEXT = 1000

/**
 * A job with this id and page; undefined where the answer has no id, or one that would lead a path
 * elsewhere.
 */
export const jobOf = (id: string, url = ''): Job | undefined =>
  id === '' || id === '.' || id === '..'
    ? undefined
    : { id, url: /^https?:\/\//.test(url) ? url : '' }

/** The state of a system by its own word for it; undefined for a word that is not known. */
export const stateBy = (
  words: Readonly<Record<JobState, readonly string[]>>,
  word: string,
): JobState | undefined =>
  (Object.keys(words) as JobState[]).find((state) => words[state].includes(word))
