/** What judges are asked, cost and are kept from, as metrics: one series a judge, ten judges a model. */
import { Counter, Gauge, type Registry } from 'prom-client'
import type { Models } from '../../../../lib/models/model-files.ts'
import type { Postgres } from '../../../../lib/postgres/port.ts'
import { budgetOf, NANO_USD } from '../../data/judges/cost.ts'
import { dayOf } from '../../queries/judges/budget.ts'
import { judgeRecords } from '../../queries/judges/judge-records.ts'
import { versionOf } from '../../queries/judges/standing.ts'
import type { Judging } from './judging.ts'

/** Counts of this process, and gauges that are as old as the last `refresh`. */
export interface JudgeMetrics {
  count: Judging['count']
  refresh: () => Promise<void>
}

/** Registers the metrics of judges. */
export function judgeMetrics(
  registry: Registry,
  postgres: Postgres,
  models: Pick<Models, 'declared'>,
  now: () => number,
): JudgeMetrics {
  const registers = [registry]
  const labelNames = ['model_id', 'judge', 'version'] as const
  const questions = new Counter({
    name: 'plumbline_judge_questions_total',
    help: 'Questions to judges by what became of them: drawn, asked (requests that were sent), cached, answered, invalid, failed, unasked; with the reason.',
    labelNames: [...labelNames, 'outcome', 'reason'],
    registers,
  })
  const gauge = (name: string, help: string) =>
    new Gauge({ name: `plumbline_judge_${name}`, help, labelNames, registers })
  const gauges = {
    open: gauge('open_questions', 'Questions that wait to be asked.'),
    spent: gauge('spent_usd', 'US dollars that a judge has cost today (UTC).'),
    left: gauge('budget_left_usd', 'US dollars of today that are neither spent nor held back.'),
    muted: gauge('muted', '1 where a judge is muted: it agrees with people less than its floor.'),
    failing: gauge('failing', '1 where the last request to a judge failed.'),
  }
  return {
    count: ({ modelId, judge, version }, outcome, reason = '', n = 1) =>
      questions.inc({ model_id: modelId, judge, version, outcome, reason }, n),
    refresh: async () => {
      const declared = models.declared.filter(({ judges }) => judges.length > 0)
      const records = await judgeRecords(
        postgres,
        declared.map(({ modelId }) => modelId),
        { day: dayOf(now()), since: now() },
      )
      for (const one of Object.values(gauges)) one.reset()
      for (const { modelId, judges } of declared)
        for (const judge of judges) {
          const of = versionOf(modelId, judge)
          const labels = { model_id: modelId, judge: judge.name, version: judge.version }
          const record = records.of(of)
          gauges.open.set(labels, record.open)
          gauges.spent.set(labels, record.spent / NANO_USD)
          const left = budgetOf(judge) - record.spent - record.reserved
          gauges.left.set(labels, Math.max(0, left) / NANO_USD)
          gauges.muted.set(labels, record.state?.mutedAt === undefined ? 0 : 1)
          gauges.failing.set(labels, record.state?.problem ? 1 : 0)
        }
    },
  }
}
