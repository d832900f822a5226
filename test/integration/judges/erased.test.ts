/** What judges said of a person's predictions is exported and erased with them. */
import { expect, test } from 'vitest'
import { addQuestions } from '../../../services/feedback/queries/judges/questions.ts'
import { eraseTasks, judgementsOf } from '../../../services/keep/queries/control-store.ts'
import { migratedPostgres, temporaryDirectory } from '../../harness.ts'
import { statesOf } from './asked.ts'

test('questions about erased predictions are gone, and those of others stay', async () => {
  const postgres = await migratedPostgres(temporaryDirectory())
  for (const version of ['1', '2'])
    await addQuestions(
      postgres,
      { modelId: 'chat', judge: 'kind', version },
      ['hers', 'his'].map((predictionId) => ({
        questionId: `${predictionId}-${version}`,
        predictionId,
        inclusionProbability: 0.5,
      })),
      Date.UTC(2025, 5, 5),
    )
  const hers = [{ model_id: 'chat', prediction_id: 'hers' }]
  expect(await judgementsOf(postgres, hers)).toMatchObject([
    { prediction_id: 'hers', judge: 'kind', version: '1', state: 'open' },
    { prediction_id: 'hers', version: '2' },
  ])
  expect(await eraseTasks(postgres, hers)).toBe(2)
  expect(await judgementsOf(postgres, hers)).toEqual([])
  expect(await statesOf(postgres, 'chat')).toEqual({ open: 2 })
  expect(await eraseTasks(postgres, hers)).toBe(0)
})
