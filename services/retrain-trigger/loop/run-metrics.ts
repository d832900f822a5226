/** What Prometheus is told of runs, counted from the store when it asks. */
import { Gauge } from 'prom-client'
import type { Postgres } from '../../../lib/postgres/port.ts'
import type { Metrics } from '../../../lib/runtime/metrics.ts'
import { countOutcomes, countRuns, readLastFailures, readPhases } from '../queries/run-counts.ts'

/** Registers the gauges of runs by state and outcome, and of how long their phases took. */
export function gaugeRuns({ registry }: Metrics, postgres: Postgres): void {
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
}
