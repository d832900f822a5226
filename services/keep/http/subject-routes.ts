/** The routes of a person’s rights: what is held of them, and its erasure. */
import { randomUUID } from 'node:crypto'
import type { EventLog } from '../../../lib/event-log/port.ts'
import { actorOf } from '../../../lib/http/callers.ts'
import type { Http } from '../../../lib/http/server.ts'
import { appendAudit } from '../../../lib/postgres/audit-log.ts'
import { answers } from '../../../schemas/http/errors.ts'
import {
  ErasureAnswer,
  SubjectAnswer,
  SubjectPath,
  SubjectQuery,
} from '../../../schemas/http/keep.ts'
import { eraseSubject, idsOf, type ErasureParts } from '../loop/erase-subject.ts'
import { judgementsOf, reviewsOf } from '../queries/control-store.ts'
import { heldOf } from '../queries/export.ts'
import { kafkaTopics } from './kafka-topics.ts'

const config = { scope: 'admin' as const, isPersonal: true }
const tags = ['data']

/** What is not ours to erase: one sentence for each kind of store. */
const OF_KAFKA =
  'Messages in Kafka stay until their topic’s retention has passed; a group that is set back reads them again.'
const OF_POSTGRES =
  'A PostgreSQL server’s write-ahead log and its archive keep deleted rows until they are written over.'
const OF_CLICKHOUSE =
  'A ClickHouse server’s query_log and its backups are kept by its own settings.'
const REMAINS = [
  'Counts, metrics and model artefacts that the subject went into stay: they hold no row of anyone.',
  'Backups that were made before hold the subject until they are deleted.',
  'A producer that sends events of the subject again brings them back.',
]

/** What the routes need. */
export interface SubjectRoutesOptions extends ErasureParts {
  eventLog: EventLog
}

/** Adds `GET` and `DELETE /v1/subjects/{id}`. */
export function subjectRoutes(http: Http, options: SubjectRoutesOptions): void {
  exportRoute(http, options)
  eraseRoute(http, options)
}

function exportRoute(http: Http, options: SubjectRoutesOptions): void {
  const { db, postgres, privacy, eventLog, now } = options
  http.get(
    '/v1/subjects/:id',
    {
      config,
      schema: {
        summary:
          'What is held of a subject; that it was asked for is in the audit log, without the id',
        tags,
        params: SubjectPath,
        querystring: SubjectQuery,
        response: answers({ 200: SubjectAnswer }),
      },
    },
    async ({ params, query, caller }) => {
      const actor = actorOf(caller, query.actor)
      const request_id = randomUUID()
      const tables = await heldOf(db, idsOf(privacy, params.id))
      const predictions = (tables.find(({ table }) => table === 'predictions')?.rows ?? []) as {
        model_id: string
        prediction_id: string
      }[]
      const reviews = await reviewsOf(postgres, predictions)
      if (reviews.length > 0)
        tables.push({ table: 'review_tasks', rows: reviews, is_cut: reviews.length === 1000 })
      const judged = await judgementsOf(postgres, predictions)
      if (judged.length > 0)
        tables.push({ table: 'judge_questions', rows: judged, is_cut: judged.length === 1000 })
      await postgres.transaction((tx) =>
        appendAudit(tx, {
          at: new Date(now()),
          actor,
          action: 'subject.exported',
          subject: request_id,
          detail: { tables: tables.length },
        }),
      )
      return { request_id, tables, kafka: await kafkaTopics(eventLog) }
    },
  )
}

function eraseRoute(http: Http, options: SubjectRoutesOptions): void {
  http.delete(
    '/v1/subjects/:id',
    {
      config,
      schema: {
        summary: 'Erases a subject from every store; the audit log has the request, without the id',
        tags,
        params: SubjectPath,
        querystring: SubjectQuery,
        response: answers({ 200: ErasureAnswer }, 409),
      },
    },
    async ({ params, query, caller }) => {
      const actor = actorOf(caller, query.actor)
      const request_id = randomUUID()
      const erased = await eraseSubject(options, {
        subjectId: params.id,
        actor,
        requestId: request_id,
      })
      const kafka = await kafkaTopics(options.eventLog)
      const remains = [
        ...(kafka.length > 0 ? [OF_KAFKA] : []),
        ...(options.postgres.forgetLog ? [] : [OF_POSTGRES]),
        ...(options.db.isEmbedded ? [] : [OF_CLICKHOUSE]),
        ...REMAINS,
      ]
      return { request_id, ...erased, kafka, remains }
    },
  )
}
