/** The routes of what went wrong with events on their way. */
import { statfs } from 'node:fs/promises'
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import type { Http } from '../../../lib/http/server.ts'
import { eventTime } from '../../../lib/events/fields.ts'
import { messageOf } from '../../../lib/runtime/errors.ts'
import type { Metrics } from '../../../lib/runtime/metrics.ts'
import {
  DataHealthAnswer,
  LettersAnswer,
  LettersQuery,
} from '../../../schemas/http/pages/data-health.ts'
import { answers } from '../../../schemas/http/errors.ts'
import { cursorOf, placeOf } from '../data/letter-cursor.ts'
import { ruleOf } from '../data/rules-in-words.ts'
import {
  countLetters,
  countProducers,
  countStored,
  countWaiting,
  readLetters,
} from '../queries/data-health.ts'
import { tableSizes } from '../queries/retention.ts'

/** What data health is told from. */
export interface DataHealthParts {
  db: ClickHouse
  metrics: Pick<Metrics, 'lag'>
  /** The folder whose disk is told of. */
  dataDir: string
  /** Epoch milliseconds. */
  now: () => number
}

const MAX_TABLES = 20
const tags = ['data']

/** Adds `GET /v1/data-health` and `GET /v1/dead-letters`. */
export function dataHealthRoutes(http: Http, parts: DataHealthParts): void {
  http.get(
    '/v1/data-health',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'Refused, lost, repeated and waiting events, how far behind, and the disk',
        tags,
        response: answers({ 200: DataHealthAnswer }),
      },
    },
    async () => dataHealth(parts),
  )
  http.get(
    '/v1/dead-letters',
    {
      // Nothing of them was masked: they are for those who mend what refused them.
      config: { scope: 'operate', isPersonal: true },
      schema: {
        summary: 'Dead letters with their first bytes, the newest first',
        tags,
        querystring: LettersQuery,
        response: answers({ 200: LettersAnswer }),
      },
    },
    async ({ query }) => {
      const { topic, reason, before, limit } = query
      const until = before === undefined ? parts.now() + 1 : eventTime(before)!
      const after = query.after === undefined ? undefined : placeOf(query.after)
      const found = await readLetters(parts.db, { topic, reason, before: until, after, limit })
      return { letters: found.letters, next: found.next ? cursorOf(found.next) : null }
    },
  )
}

/** Asks each part by itself: what cannot be asked is a sentence, and the rest is there. */
async function dataHealth({ db, metrics, dataDir, now }: DataHealthParts) {
  const problems: string[] = []
  const asked = async <T>(what: string, ask: Promise<T>, otherwise: T): Promise<T> => {
    try {
      return await ask
    } catch (error) {
      problems.push(`${what} could not be asked: ${messageOf(error).slice(0, 300)}`)
      return otherwise
    }
  }
  const letters = await asked('dead letters', countLetters(db, now()), [])
  const none = { producers_in_all: 0, producers: [] }
  const producers = await asked('producers', countProducers(db), none)
  const waiting = await asked('waiting labels', countWaiting(db), [])
  const stored = await asked('what was stored', countStored(db, now()), [])
  const tables = await asked('sizes of tables', tableSizes(db), [])
  const disk = await asked('the disk', statfs(dataDir), undefined)
  const behind = await messagesBehind(metrics)
  return {
    letters: letters.map((one) => ({ ...one, rule: ruleOf(one.reason) })),
    ...producers,
    waiting,
    stored: stored.map((one) => ({ ...one, behind: behind.get(one.topic) ?? null })),
    disk: {
      free_bytes: disk === undefined ? null : disk.bavail * disk.bsize,
      total_bytes: disk === undefined ? null : disk.blocks * disk.bsize,
      tables: tables.slice(0, MAX_TABLES),
    },
    problems,
  }
}

/** Messages of each topic that this process has not stored yet. */
async function messagesBehind({ lag }: Pick<Metrics, 'lag'>): Promise<ReadonlyMap<string, number>> {
  const sums = new Map<string, number>()
  for (const { labels, value } of (await lag.get()).values)
    sums.set(String(labels.topic), (sums.get(String(labels.topic)) ?? 0) + value)
  return sums
}
