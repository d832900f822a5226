/** Parameters and answer of the stream that tells of evaluated windows. */
import Type from 'typebox'
import { closed, defaulted } from '../parts.ts'

/** Models that a stream tells of, and for how long. */
export const EventsQuery = closed({
  model_id: Type.Optional(
    Type.String({
      maxLength: 200,
      description: 'One model; all that the caller reaches unless given.',
      examples: ['fraud'],
    }),
  ),
  seconds: defaulted(
    Type.Integer({
      minimum: 1,
      maximum: 3600,
      default: 900,
      description: 'When the stream ends; browsers then ask for another by themselves.',
      examples: [900],
    }),
  ),
})

/** A stream of server-sent events. */
export const EventsAnswer = {
  description:
    'Server-sent events. `window` names a model of which a window was evaluated; a comment comes every 20 s.',
  content: {
    'text/event-stream': {
      schema: Type.String(),
      example: 'event: window\ndata: {"model_id":"fraud"}\n\n',
    },
  },
}
