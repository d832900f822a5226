/** The clock follows the schedules of the model files in force. */
import { getTasks } from 'node-cron'
import { afterEach, expect, test } from 'vitest'
import { parseModel, type Model } from '../../../lib/models/model-files.ts'
import type { Deciding } from './decision-loop.ts'
import { policyEngine } from './policies.ts'
import { schedulesModule } from './schedules.ts'

const model = (id: string, ...crons: string[]) =>
  parseModel(
    JSON.stringify({
      model_id: id,
      task: 'binary',
      retrain: crons.map((cron, i) => ({
        name: `p${i}`,
        when: `schedule("${cron}")`,
        launch: { kind: 'webhook', url: 'http://127.0.0.1:9/' },
      })),
    }),
  )

let stop: (() => Promise<void>) | undefined
afterEach(() => stop?.())

test('schedules come and go with their files, and those that stay keep their clock', async () => {
  let declared: readonly Model[] = [model('a', '0 1 * * *'), model('b', '0 2 * * *')]
  let changed = () => {}
  const models = {
    get declared() {
      return declared
    },
    onChange: (listener: () => void) => void (changed = listener),
  }
  const engine = policyEngine(models, {} as never)
  const module = schedulesModule({ engine } as Deciding, models)
  stop = module.stop
  await module.start!()
  const tasks = () => [...getTasks().keys()]
  const [first, second] = tasks()
  expect(tasks()).toHaveLength(2)
  declared = [model('a', '0 1 * * *', '0 3 * * *')]
  changed()
  expect(tasks()).toHaveLength(2)
  expect(tasks()).toContain(first)
  expect(tasks()).not.toContain(second)
  expect([...engine.policies.keys()]).toEqual(['a'])
})
