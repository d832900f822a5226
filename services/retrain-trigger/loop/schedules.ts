/**
 * The clock of policies: asks those with a `schedule` whenever their cron expression comes due in
 * its time zone.
 */
import { schedule, type ScheduledTask } from 'node-cron'
import type { Models } from '../../../lib/models/model-files.ts'
import type { Module } from '../../../lib/runtime/modules.ts'
import type { Schedule } from '../decide/condition-tests.ts'
import { schedulesOf } from '../decide/policies.ts'
import { wake, type Deciding } from './decision-loop.ts'
import { tickPolicies } from './policies.ts'

/** Runs the schedules of all policies; runs that follow are launched at once. */
export function schedulesModule(loop: Deciding, models: Pick<Models, 'onChange'>): Module {
  const tasks = new Map<string, ScheduledTask>()
  let isRunning = false
  /** Begins what has come and ends what has gone; what stays keeps its clock. */
  const follow = () => {
    if (!isRunning) return
    const wanted = new Map(
      schedulesOf(loop.engine.policies).map((one) => [
        JSON.stringify([one.modelId, one.cron, one.timezone]),
        one,
      ]),
    )
    for (const [key, task] of tasks)
      if (!wanted.has(key)) {
        tasks.delete(key)
        void task.destroy()
      }
    for (const [key, { modelId, cron, timezone }] of wanted)
      if (!tasks.has(key))
        tasks.set(
          key,
          schedule(cron, () => tick(loop, modelId, { cron, timezone }), { timezone }),
        )
  }
  models.onChange?.(follow)
  return {
    name: 'retrain schedules',
    start: async () => {
      isRunning = true
      follow()
    },
    stop: async () => {
      isRunning = false
      for (const task of tasks.values()) await task.stop()
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
