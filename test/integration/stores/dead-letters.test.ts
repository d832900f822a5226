/** Pages of dead letters: each once, however many came in one millisecond. */
import { beforeAll, expect, test } from 'vitest'
import type { Http } from '../../../lib/http/server.ts'
import { ProblemDocument } from '../../../schemas/http/errors.ts'
import { dataHealthRoutes } from '../../../services/keep/http/data-health-routes.ts'
import { bareHttp } from '../../bare-http.ts'
import { migratedClickHouse, temporaryDirectory } from '../../harness.ts'

const AT = Date.UTC(2026, 0, 5)

interface Page {
  letters: { message: string; received_at: string; reason: string }[]
  next: string | null
}

let ask: (query: string, status?: number) => Promise<Page>
beforeAll(async () => {
  const { db } = await migratedClickHouse()
  await db.insertRows(
    'dead_letters',
    Array.from({ length: 100 }, (_, i) => ({
      topic: i % 3 === 0 ? 'labels' : 'predictions',
      partition: String(i % 2),
      offset: String(i),
      key: '',
      value: '{}',
      headers: {},
      reason: i % 5 === 0 ? 'invalid_json' : 'missing_field',
      message: `letter ${i}`,
      service: 'ingest',
      // Seven a millisecond.
      received_at: new Date(AT + Math.floor(i / 7)).toISOString().slice(0, -1),
      log_epoch: "it's",
    })),
  )
  const http = bareHttp()
  http.addSchema(ProblemDocument)
  const lag = { get: () => Promise.resolve({ values: [] }) }
  dataHealthRoutes(http as unknown as Http, {
    db,
    metrics: { lag } as never,
    dataDir: temporaryDirectory(),
    now: () => AT + 1_000_000,
  })
  ask = async (query, status = 200) => {
    const answer = await http.inject(`/v1/dead-letters?${query}`)
    expect(answer.statusCode, answer.body).toBe(status)
    return answer.json<Page>()
  }
})

test('pages follow one another until there is none, and no letter is left out or told twice', async () => {
  for (const [question, total] of [
    ['', 100],
    ['&reason=invalid_json', 20],
    ['&topic=labels', 34],
  ] as const)
    for (const limit of [1, 3, 10, 100]) {
      const seen: string[] = []
      const times: string[] = []
      let next: string | null = ''
      while (next !== null) {
        const more: string = next === '' ? '' : `&after=${next}`
        const page = await ask(`limit=${limit}${question}${more}`)
        expect(page.letters.length).toBeGreaterThan(0)
        seen.push(...page.letters.map(({ message }) => message))
        times.push(...page.letters.map(({ received_at }) => received_at))
        next = page.next
      }
      expect(seen).toHaveLength(total)
      expect(new Set(seen).size).toBe(total)
      expect(times).toEqual(times.toSorted((a, b) => b.localeCompare(a)))
    }
})

test('a place that no answer gave is refused', async () => {
  const made = (parts: unknown) => Buffer.from(JSON.stringify(parts)).toString('base64url')
  const hostile = [
    'x',
    made({}),
    made([1, 'a', 'b', 'c']),
    made([-1, 'a', 'b', 'c', '1']),
    made([1e300, 'a', 'b', 'c', '1']),
    made([1, 'a', 'b', 'c', '-1']),
    made([1, 'a', 'b', 'c', '1 OR 1=1']),
    made([1, ['a'], 'b', 'c', '1']),
  ]
  for (const after of hostile)
    expect(JSON.stringify(await ask(`after=${after}`, 400))).toContain(
      'after must be the next of an answer',
    )
  expect(
    (await ask(`after=${made([1, "a' OR 1=1 --", 'b', 'c', '9'.repeat(19)])}`)).letters,
  ).toEqual([])
})
