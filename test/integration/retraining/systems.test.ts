/**
 * The systems of `examples/systems`, each on a stream as it has one: while it is well nothing is
 * launched, and the fault that its policies are made for launches each of them once, in the window in
 * which its condition comes to hold.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { parseModel, type Model } from '../../../lib/models/model-files.ts'
import type { Postgres } from '../../../lib/postgres/port.ts'
import { uniforms } from '../../../lib/stats/distributions/random.ts'
import { evaluatePolicies, policyEngine } from '../../../services/retrain-trigger/loop/policies.ts'
import { policyQueries } from '../../../services/retrain-trigger/queries/policy-queries.ts'
import { listRuns } from '../../../services/retrain-trigger/queries/runs.ts'
import { evaluateOn } from '../../evaluating.ts'
import { migratedPostgres, temporaryDirectory } from '../../harness.ts'
import { pipeline, type Pipeline } from '../../pipeline.ts'
import { ROOT } from '../../servers/processes.ts'

const FOLDER = join(ROOT, 'examples/systems')
const HOUR = 3_600_000
const DAY = 24 * HOUR
const MONDAY = Date.UTC(2025, 0, 6)
let stream: Pipeline
let postgres: Postgres

beforeAll(async () => {
  stream = await pipeline()
  postgres = await migratedPostgres(temporaryDirectory())
})

/** One event of a system: its prediction, and labels by name. */
interface Told {
  prediction: object
  labels?: Record<string, string | number>
}

/** What a system sends. */
interface System {
  /** When each window begins; the last one is when the stream ends. */
  starts: readonly number[]
  events: number
  /** Window from which on its fault is there. */
  from: number
  told: (event: { i: number; window: number; isFaulty: boolean }) => Told
  /** Runs of the faulty stream: the policy, the window of the evidence, and the state. */
  runs: readonly (readonly [policy: string, window: number, state: string])[]
}

const every = (length: number, windows: number, start = MONDAY) =>
  Array.from({ length: windows + 1 }, (_, i) => start + i * length)

const months = (count: number) => Array.from({ length: count + 1 }, (_, i) => Date.UTC(2025, i, 1))

function systems(): Record<string, System> {
  const uniform = uniforms(11)
  /** About normal, of spread 1. */
  const normal = () => Array.from({ length: 12 }, uniform).reduce((sum, x) => sum + x, -6)
  return {
    'rental-valuation': {
      // Windows of seven days begin on Thursdays, as the epoch did.
      starts: every(7 * DAY, 5, MONDAY + 3 * DAY),
      events: 120,
      from: 3,
      told: ({ i, isFaulty }) => {
        const region = ['coast', 'city'][i % 2]!
        const rent = 800 + 1200 * uniform()
        const off = isFaulty && region === 'coast' ? 1.25 : 1 + 0.05 * normal()
        return {
          prediction: {
            prediction: rent * off,
            attributes: { region },
            features: { rooms: i % 5 },
          },
          labels: { label: rent },
        }
      },
      runs: [['region', 4, 'awaiting_approval']],
    },
    'wireless-throughput': {
      starts: every(HOUR, 5),
      events: 240,
      from: 3,
      told: ({ i, isFaulty }) => {
        const isGreen = i % 2 === 0
        const keeps = uniform() < 0.7
        const isRight = uniform() < (isGreen && isFaulty ? 0.6 : 0.95)
        return {
          prediction: {
            prediction: Number(keeps === isRight),
            model_version: isGreen ? 'green' : 'blue',
            latency_ms: 5 + 10 * uniform(),
          },
          labels: { label: Number(keeps) },
        }
      },
      runs: [['green', 4, 'queued']],
    },
    'dealer-performance': {
      starts: months(5),
      events: 80,
      from: 3,
      told: ({ isFaulty }) => {
        const sales = 40 + 12 * normal()
        const error = (isFaulty ? 10 : 4) * normal()
        return { prediction: { prediction: sales + error }, labels: { label: sales } }
      },
      runs: [['explains_too_little', 4, 'awaiting_approval']],
    },
    'generative-video': {
      starts: every(DAY, 11),
      events: 150,
      from: 9,
      told: ({ isFaulty }) => {
        const seconds = 0.4 * Math.exp(0.2 * normal()) * (isFaulty ? 2 : 1)
        return {
          prediction: {
            prediction: 24,
            features: {
              gpu_seconds_per_frame: seconds,
              cost_per_frame_usd: seconds * 0.0011,
              resolution: uniform() < 0.5 ? '1080p' : '720p',
            },
          },
          labels: { frame_ok: Number(uniform() < (isFaulty ? 0.7 : 0.98)) },
        }
      },
      runs: [
        ['broken_frames', 10, 'queued'],
        ['dear_frames', 10, 'proposed'],
      ],
    },
    'real-time-bidding': {
      starts: every(HOUR, 12),
      events: 600,
      from: 9,
      told: ({ i, window, isFaulty }) => {
        const server = `server-${i % 3}`
        const isStale = isFaulty && server === 'server-2'
        const value = uniform()
        const explores = uniform() < (isFaulty ? 0.1 : 0.01)
        return {
          prediction: {
            prediction: explores ? 'low' : 'high',
            score: Math.min(1, (isStale ? 0.9 : 0.5) * value + 0.1 * uniform()),
            model_version: isStale ? '41' : '42',
            sampling_fraction: 0.05,
            propensity: explores ? 0.01 : 0.99,
            exploration: explores,
            latency_ms: 3 + uniform(),
            producer: { id: server, sequence: window * 200 + Math.floor(i / 3) },
            features: { value },
          },
        }
      },
      runs: [
        ['exploration', 11, 'queued'],
        ['stale_server', 9, 'queued'],
      ],
    },
  }
}

/** Sends a system's stream, evaluates it, and asks its policies; resolves with its runs. */
async function runsOf(model: Model, system: System) {
  const { starts, events, from } = system
  const told = starts.slice(0, -1).flatMap((start, window) =>
    Array.from({ length: events }, (_, i) => {
      const at = start + Math.floor((i / events) * (starts[window + 1]! - start))
      const one = system.told({ i, window, isFaulty: window >= from })
      return { ...one, id: `${window}-${i}`, at: new Date(at).toISOString() }
    }),
  )
  await stream.predictions(
    told.map(({ id, at, prediction }) => ({
      prediction_id: id,
      model_id: model.modelId,
      model_version: '1',
      predicted_at: at,
      ...prediction,
    })),
  )
  await stream.labels(
    told.flatMap(({ id, at, labels = {} }) =>
      Object.entries(labels).map(([name, label]) => ({
        label_id: `${model.modelId}-${id}-${name}`,
        model_id: model.modelId,
        prediction_id: id,
        ...(name !== 'label' && { name }),
        label,
        labelled_at: at,
        source: 'ground_truth',
      })),
    ),
  )
  await evaluateOn(stream.connect('drift'), { now: () => starts.at(-1)! + 200 * DAY })(model)
  const engine = policyEngine(
    { declared: [model] },
    { queries: policyQueries(stream.db), ledger: { postgres, now: Date.now } },
  )
  const { failures } = await evaluatePolicies(engine, model.modelId)
  expect(failures).toEqual([])
  const runs = await listRuns(postgres, [model.modelId], 100)
  return runs
    .map((run) => [run.policy, starts.indexOf(Date.parse(run.window_end ?? '')) - 1, run.state])
    .toSorted((a, b) => String(a[0]).localeCompare(String(b[0])) || Number(a[1]) - Number(b[1]))
}

const files = readdirSync(FOLDER).filter((name) => name.endsWith('.yaml'))
const textOf = (name: string) => readFileSync(join(FOLDER, `${name}.yaml`), 'utf8')

test('every file has a stream here', () => {
  expect(files.map((file) => file.replace('.yaml', '')).toSorted()).toEqual(
    Object.keys(systems()).toSorted(),
  )
})

test.each(Object.keys(systems()))('%s', async (name) => {
  const system = systems()[name]!
  expect(await runsOf(parseModel(textOf(name)), system)).toEqual(system.runs)
})
