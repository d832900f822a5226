import { expect, test } from 'vitest'
import { TOPICS } from '../../../schemas/topics.ts'
import { topicDifferences } from './topic-differences.ts'

const card = TOPICS.predictions
const asExpected = {
  partitions: 4,
  cleanupPolicy: 'delete',
  timestampType: 'LogAppendTime',
  retentionMs: 7 * 86_400_000,
}

test('a topic as its card says, or one that keeps messages longer, is nothing to tell', () => {
  expect(topicDifferences(card, asExpected)).toEqual([])
  expect(topicDifferences(card, { ...asExpected, retentionMs: -1 })).toEqual([])
})

test.each([
  [{ cleanupPolicy: 'compact,delete' }, /^is compacted .* may be gone before they are stored/],
  [{ timestampType: 'CreateTime' }, /^has message.timestamp.type=CreateTime: .* received_at/],
  [{ partitions: 2 }, /^has 2 partitions, not 4: no more than 2 processes/],
  [{ partitions: 12 }, /^has 12 partitions, not 4: each partition remembers ids of its own/],
  [{ retentionMs: 43_200_000 }, /^keeps messages for 0.5 days, not 7: .* is lost/],
])('%o is told with what it means', (differing, says) => {
  const texts = topicDifferences(card, { ...asExpected, ...differing })
  expect(texts).toHaveLength(1)
  expect(texts[0]).toMatch(says)
})
