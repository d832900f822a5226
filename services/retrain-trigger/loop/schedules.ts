/**
 * The clock of policies: asks those with a `schedule` whenever their cron expression comes due in
 * its time zone.
 */
import { schedule, type ScheduledTask } from 'node-cron'
import type { Module } from '../../../lib/runtime/modules.ts'
import type { Schedule } from '../decide/condition-tests.ts'
import { schedulesOf } from '../decide/policies.ts'
import { wake, type Deciding } from './decision-loop.ts'
import { tickPolicies } from './policies.ts'

/** Runs the schedules of all policies; runs that follow are launched at once. */
export function schedulesModule(loop: Deciding): Module {
  let tasks: ScheduledTask[] = []
  return {
    name: 'retrain schedules',
    start: async () => {
      tasks = schedulesOf(loop.engine.policies).map(({ modelId, cron, timezone }) =>
        schedule(cron, () => tick(loop, modelId, { cron, timezone }), { timezone }),
      )
    },
    stop: async () => {
      for (const task of tasks) await task.stop()
    },
  }
}

async function tick(loop: Deciding, modelId: string, due: Schedule): Promise<void> {
  const { engine, failed } = loop
  try {
    const { failures } = await tickPolicies(engine, modelId, due, engine.ledger.now())
    for (const { policy, error } of failures) failed(modelId, policy, error)
    wake(loop)
  } catch (error) {
    failed(modelId, '', error)
  }
}
