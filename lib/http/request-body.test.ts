import { Readable } from 'node:stream'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { whyBeyond } from '../events/json/bounds.ts'
import { bodyBudget, readBody } from './request-body.ts'

const limits = (maxBodyBytes: number, all = maxBodyBytes) => ({
  maxBodyBytes,
  budget: bodyBudget(all),
})

test('a body is what was sent, in clear and compressed', async () => {
  const text = Buffer.from('{"a":1}'.repeat(1000))
  for (const [encoding, sent] of [
    [undefined, text],
    ['identity', text],
    ['gzip', gzipSync(text)],
    ['zstd', zstdCompressSync(text)],
  ] as const) {
    const { bytes, held } = await readBody(Readable.from([sent]), encoding, limits(10_000))
    expect([bytes.equals(text), held]).toEqual([true, text.length])
  }
})

test('bodies beyond a bound, cut off or of another encoding are refused, and give back what they held', async () => {
  const big = gzipSync(Buffer.alloc(1 << 20))
  for (const [encoding, sent, own, all, status] of [
    ['gzip', big, 100_000, 1 << 30, 413],
    ['gzip', big, 1 << 30, 100_000, 429],
    ['gzip', big.subarray(0, 500), 1 << 30, 1 << 30, 400],
    ['gzip', Buffer.from('not gzip'), 1 << 30, 1 << 30, 400],
    ['br', big, 1 << 30, 1 << 30, 415],
  ] as const) {
    const bounds = limits(own, all)
    await expect(readBody(Readable.from([sent]), encoding, bounds)).rejects.toMatchObject({
      status,
    })
    expect(bounds.budget.take(all)).toBe(true)
  }
})

test('JSON is bounded in depth and members, whatever stands in its strings', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
      const deepest = (v: unknown): number =>
        typeof v === 'object' && v !== null ? 1 + Math.max(0, ...Object.values(v).map(deepest)) : 0
      const bytes = Buffer.from(JSON.stringify({ quoted: '[{"\\', value }))
      const depth = deepest(value) + 1
      expect(whyBeyond(bytes, { maxDepth: depth, maxMembers: 1e6 })).toBeUndefined()
      expect(whyBeyond(bytes, { maxDepth: depth - 1, maxMembers: 1e6 })).toContain('deeper')
    }),
  )
  expect(whyBeyond(Buffer.from('[1,2,3]'), { maxDepth: 1, maxMembers: 1 })).toContain('more than 1')
})
