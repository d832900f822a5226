/** Bodies and answers of alerts that go out: messages, receivers, tests. */
import Type, { type Static } from 'typebox'
import { closed, id, limit, nullable, person, time } from '../parts.ts'

const DELIVERY_ID = '5f0f2a3e-6f0e-4f0e-9d3e-0f4f6a7c8b9d'
const AT = '2026-01-01T00:00:00.000Z'
const STATES = ['waiting', 'delivered', 'failed'] as const

/** Which messages are asked for. */
export const DeliveriesQuery = closed({
  model_id: Type.Optional(id('Messages about this model alone; of all unless given.', 'fraud')),
  receiver: Type.Optional(id('Messages to this receiver alone.', 'risk-slack')),
  state: Type.Optional(Type.Enum([...STATES], { description: 'Messages of this state alone.' })),
  delivery_id: Type.Optional(id('This message alone.', DELIVERY_ID)),
  limit,
})

/** A message to one receiver, and what became of it. */
const DeliveryAnswer = closed({
  delivery_id: Type.String(),
  receiver: Type.String(),
  incident_id: Type.String({ description: 'All messages of one incident share it.' }),
  model_id: Type.String({ description: 'Empty for digests and tests.' }),
  event: Type.Enum(['open', 'update', 'resolve', 'digest', 'test']),
  title: Type.String(),
  state: Type.Enum([...STATES], { description: 'Failed ones were refused or given up.' }),
  answer: Type.String({
    description: 'What the receiver answered last, or why it was not reached.',
  }),
  attempts: Type.Integer({ minimum: 0 }),
  created_at: time('When it was due.'),
  next_attempt_at: nullable(time('When it is tried next; null once it has ended.')),
  ended_at: nullable(time('When it was delivered or failed.')),
})

/** Messages, newest first. */
export const DeliveriesAnswer = closed(
  { deliveries: Type.Array(DeliveryAnswer) },
  {
    description: 'Messages, newest first.',
    examples: [
      {
        deliveries: [
          {
            delivery_id: DELIVERY_ID,
            receiver: 'risk-slack',
            model_id: 'fraud',
            incident_id: 'alarm/fraud/2026-01-01T00:00:00.000Z',
            event: 'open',
            title: 'firing: fraud: accuracy is down from 0.9 to 0.8, since 1 January 2026',
            state: 'delivered',
            answer: 'answered 200: ok',
            attempts: 1,
            created_at: AT,
            next_attempt_at: null,
            ended_at: AT,
          },
        ],
      },
    ],
  },
)
export type DeliveriesAnswer = Static<typeof DeliveriesAnswer>

/** Who is told, by the file in force. */
export const ReceiversAnswer = closed(
  {
    file: nullable(Type.String({ description: 'Null where no file is set: nobody is told.' })),
    loaded_at: nullable(time('When it came into force.')),
    receivers: Type.Array(
      closed({
        name: Type.String(),
        kind: Type.String({ description: 'Such as `slack`.' }),
        waiting: Type.Integer({ minimum: 0, description: 'Messages that wait for it.' }),
        oldest_waiting_at: nullable(time('When the oldest of them was due.')),
      }),
    ),
    refused: nullable(
      closed({
        at: time('When the last reading was refused.'),
        problems: Type.Array(Type.String(), { description: 'The first hundred.' }),
      }),
    ),
  },
  {
    description: 'Receivers by the file in force; none of their secrets.',
    examples: [
      {
        file: './alerts.yaml',
        loaded_at: AT,
        receivers: [{ name: 'risk-slack', kind: 'slack', waiting: 0, oldest_waiting_at: null }],
        refused: null,
      },
    ],
  },
)

/** Asks for a test message: to one receiver, or to those that an alert of a model goes to. */
export const AlertTestBody = closed(
  {
    receiver: Type.Optional(id('Who is told.', 'risk-slack')),
    model_id: Type.Optional(id('Tells those that an alert of this model goes to.', 'fraud')),
    severity: Type.Optional(
      Type.Enum(['warning', 'alarm'], {
        description: 'Severity of that alert; alarm unless given.',
      }),
    ),
    kind: Type.Optional(
      Type.Enum(['alarm', 'silence', 'run_failed', 'approval', 'made_worse'], {
        description: 'Severity of that alert; alarm unless given.',
      }),
    ),
    actor: Type.Optional(person),
  },
  { examples: [{ receiver: 'risk-slack', actor: 'ann' }] },
)

/** Test messages that are on their way. */
export const AlertTestAnswer = closed(
  {
    deliveries: Type.Array(closed({ delivery_id: Type.String(), receiver: Type.String() }), {
      description: '`GET /v1/alerts/deliveries` tells what becomes of them.',
    }),
  },
  {
    description: 'The messages that were enqueued.',
    examples: [{ deliveries: [{ delivery_id: DELIVERY_ID, receiver: 'risk-slack' }] }],
  },
)
