/** Answers of what went wrong with events on their way. */
import Type from 'typebox'
import { bigCount, closed, defaulted, id, nullable, time } from '../parts.ts'

const AT = '2026-01-01T00:00:00.000Z'
const whole = (description: string) => Type.Integer({ minimum: 0, description })

/** Refused, lost, repeated and waiting events, how far behind the service is, and its disk. */
export const DataHealthAnswer = closed(
  {
    letters: Type.Array(
      closed({
        topic: Type.String({ description: 'Where the messages came from.' }),
        reason: Type.String({ description: 'Why they were refused, as dead letters have it.' }),
        rule: Type.String({ description: 'The rule that they broke; empty of an unknown reason.' }),
        service: Type.String(),
        letters: whole('How many there are.'),
        last_day: whole('How many of them came within the last 24 hours.'),
        first_at: time('When the first one came.'),
        newest_at: time('When the newest one came.'),
        newest_message: Type.String({
          description: 'What the newest one was told; 500 characters.',
        }),
      }),
      { description: 'Dead letters by topic and reason, the newest first; 200 at most.' },
    ),
    producers_in_all: whole('Producers that number their events.'),
    producers: Type.Array(
      closed({
        model_id: Type.String(),
        producer: Type.String(),
        emitted: bigCount('Events by its sequence numbers.'),
        received: bigCount('Those that came.'),
        duplicates: bigCount('Those that came again.'),
        lost: bigCount('Those that have not come.'),
      }),
      { description: 'Those that lost most first; 200 at most.' },
    ),
    waiting: Type.Array(
      closed({
        model_id: Type.String(),
        labels: bigCount('Labels whose prediction nobody has seen.'),
        since: time('How long the oldest one waits.'),
      }),
      { description: 'Labels that wait by model, the most first; 200 at most.' },
    ),
    stored: Type.Array(
      closed({
        topic: Type.String(),
        newest_at: time('When a message of it was stored last.'),
        messages: bigCount('Messages that were stored within 24 hours.'),
        refused: bigCount('Those of them that became dead letters.'),
        repeats: bigCount('Those of them that had been stored before.'),
        behind: nullable(
          whole('Messages not stored yet; null where another process stores the topic.'),
        ),
      }),
    ),
    disk: closed({
      free_bytes: nullable(whole('Free on the disk of the data folder; null where unknown.')),
      total_bytes: nullable(whole('Size of that disk; null where unknown.')),
      tables: Type.Array(
        closed({ table: Type.String(), bytes: whole('Compressed.'), rows: whole('Rows.') }),
        { description: 'The largest first; 20 at most.' },
      ),
    }),
    problems: Type.Array(Type.String(), {
      description: 'What could not be asked, a sentence each; its list is empty.',
    }),
  },
  {
    description: 'What went wrong with events on their way, and what waits.',
    examples: [
      {
        letters: [
          {
            topic: 'plumbline.predictions.v1',
            reason: 'missing_field',
            service: 'ingest',
            rule: 'Every required field of the event is there.',
            letters: 12,
            last_day: 3,
            first_at: AT,
            newest_at: AT,
            newest_message: 'model_id is required',
          },
        ],
        producers_in_all: 1,
        producers: [
          {
            model_id: 'fraud',
            producer: 'gateway-1',
            emitted: '1000',
            received: '998',
            duplicates: '4',
            lost: '2',
          },
        ],
        waiting: [{ model_id: 'fraud', labels: '17', since: AT }],
        stored: [
          {
            topic: 'plumbline.predictions.v1',
            newest_at: AT,
            messages: '1000',
            refused: '3',
            repeats: '4',
            behind: 0,
          },
        ],
        disk: {
          free_bytes: 81_920_000,
          total_bytes: 163_840_000,
          tables: [{ table: 'predictions', bytes: 81_920, rows: 1000 }],
        },
        problems: [],
      },
    ],
  },
)

/** Which dead letters are asked for. */
export const LettersQuery = closed({
  topic: Type.Optional(id('Letters of this topic alone.', 'plumbline.predictions.v1')),
  reason: Type.Optional(id('Letters of this reason alone.', 'missing_field')),
  before: Type.Optional(
    Type.String({
      format: 'date-time',
      maxLength: 40,
      description: 'Those that came before this time, RFC 3339.',
      examples: [AT],
    }),
  ),
  after: Type.Optional(
    Type.String({
      maxLength: 4000,
      description: 'The `next` of an answer to the same question: those that follow it.',
    }),
  ),
  limit: defaulted(
    Type.Integer({
      minimum: 1,
      maximum: 100,
      default: 20,
      examples: [20],
      description: 'Letters of the answer at most.',
    }),
  ),
})

/** Dead letters with their first bytes. */
export const LettersAnswer = closed(
  {
    letters: Type.Array(
      closed({
        topic: Type.String(),
        partition: Type.String(),
        offset: bigCount('Its place in the log.'),
        reason: Type.String(),
        message: Type.String({ description: 'What it was told; 2 000 characters at most.' }),
        service: Type.String(),
        received_at: time('When it came.'),
        key: Type.String({ description: 'The first 500 bytes of its key, base64.' }),
        value: Type.String({ description: 'The first 4 096 bytes of its value, base64.' }),
        value_bytes: bigCount('Bytes of the value as it came.'),
      }),
    ),
    next: nullable(
      Type.String({ description: 'To be asked for as `after`; null where none follow.' }),
    ),
  },
  {
    description: 'Dead letters, the newest first.',
    examples: [
      {
        letters: [
          {
            topic: 'plumbline.predictions.v1',
            partition: '0',
            offset: '17',
            reason: 'invalid_json',
            message: 'the value is not one JSON object',
            service: 'ingest',
            received_at: AT,
            key: '',
            value: 'e30gYg==',
            value_bytes: '4',
          },
        ],
        next: null,
      },
    ],
  },
)
