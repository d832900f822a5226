/** What Prometheus is told of runs, counted from the store when it asks. */
import { Gauge } from 'prom-client'
import type { Metrics } from '../../../lib/runtime/metrics.ts'
import type { Ledger } from '../queries/ledger.ts'
import {
  countFalseStarts,
  countOutcomes,
  countRuns,
  countTargets,
  readLastFailures,
  readPhases,
} from '../queries/run-counts.ts'

/** Registers the gauges of runs by state and outcome, and of how long their phases took. */
export function gaugeRuns({ registry }: Metrics, { postgres, now }: Ledger): void {
  new Gauge({
    name: 'plumbline_retrain_runs',
    help: 'Retraining runs by state.',
    labelNames: ['model_id', 'state'],
    registers: [registry],
    collect: async function () {
      this.reset()
      for (const { model_id, state, n } of await countRuns(postgres))
        this.set({ model_id, state }, n)
    },
  })
  new Gauge({
    name: 'plumbline_retrain_last_failure_timestamp_seconds',
    help: 'When a run of the model failed or timed out last, seconds since the epoch.',
    labelNames: ['model_id'],
    registers: [registry],
    collect: async function () {
      this.reset()
      for (const { model_id, at } of await readLastFailures(postgres)) this.set({ model_id }, at)
    },
  })
  new Gauge({
    name: 'plumbline_retrain_outcomes',
    help: 'Promoted runs by whether they have helped: watching, repaired, not_repaired, made_worse, unknown.',
    labelNames: ['model_id', 'outcome'],
    registers: [registry],
    collect: async function () {
      this.reset()
      for (const { model_id, outcome, n } of await countOutcomes(postgres))
        this.set({ model_id, outcome }, n)
    },
  })
  new Gauge({
    name: 'plumbline_retrain_phase_seconds',
    help: 'Median over the runs of 30 days: detect (from the end of the window to its evaluation), decide (to the leave to launch), launch (to the start of the job), repair (from the evaluation to the outcome repaired).',
    labelNames: ['model_id', 'phase'],
    registers: [registry],
    collect: async function () {
      this.reset()
      for (const { model_id, phase, seconds } of await readPhases(postgres))
        this.set({ model_id, phase }, seconds)
    },
  })
  gaugeTargets({ registry }, { postgres, now })
}

/** Registers the gauges of what runs were to keep, and of runs that were started in vain. */
function gaugeTargets({ registry }: Pick<Metrics, 'registry'>, { postgres, now }: Ledger): void {
  new Gauge({
    name: 'plumbline_retrain_target_runs',
    help: 'Runs whose phase (detect, decide, launch, repair) has a target, by whether they kept it (kept, late), over the span up to now (6h, 1d, 3d, 30d).',
    labelNames: ['model_id', 'phase', 'span', 'outcome'],
    registers: [registry],
    collect: async function () {
      this.reset()
      for (const { n, ...labels } of await countTargets(postgres, new Date(now())))
        this.set({ ...labels }, n)
    },
  })
  new Gauge({
    name: 'plumbline_retrain_false_starts',
    help: 'Runs whose job was started in vain: withdrawn, rejected, rolled_back, not_repaired, made_worse.',
    labelNames: ['model_id', 'why'],
    registers: [registry],
    collect: async function () {
      this.reset()
      for (const { model_id, why, n } of await countFalseStarts(postgres))
        this.set({ model_id, why }, n)
    },
  })
}
