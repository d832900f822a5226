/** What is expected of a system that runs jobs: its requests, and how its answers read. */
import type { LaunchOf, SystemLaunch } from '../../../schemas/launch-systems.ts'
import type {
  JobState,
  SystemAnswer,
} from '../../../services/retrain-trigger/launchers/systems/system.ts'

/** The run whose job is started. */
export const run = {
  run_id: 'r-1',
  model_id: 'fraud',
  policy: 'drifted',
  reason: 'PSI of amount is 0.41',
  window_end: '2026-11-26T00:00:00Z',
  created_at: '2026-11-26T01:00:00Z',
  status_url: 'http://plumbline/v1/runs/r-1/status?token=t',
  model_file_sha256: 'a1',
  code_sha256: 'b2',
  dataset_sha256: '',
  dataset: '',
}

/** An answer of a system. */
export const answer = (status: number, body: unknown, location = ''): SystemAnswer => ({
  status,
  body,
  location,
})

type Settings<K extends SystemLaunch['kind']> = Omit<LaunchOf<K>, 'kind' | 'url'>

/** What a system must do: its settings, where it starts a job, and how its answers read. */
export interface Expected {
  launch: SystemLaunch
  start: { method: string; path: string; body?: unknown }
  started: [SystemAnswer, unknown][]
  find?: { path: string; found: [SystemAnswer, string | undefined][] }
  status: { path: string; states: [unknown, JobState | undefined][] }
  cancel: { method: string; path: string }
}

/** A system with its settings and what is expected of it, as `test.each` takes it. */
export const expected = <K extends SystemLaunch['kind']>(
  kind: K,
  settings: Settings<K>,
  more: Omit<Expected, 'launch'>,
): [string, Expected] => [
  kind,
  { ...more, launch: { kind, url: 'http://x', ...settings } as unknown as SystemLaunch },
]
