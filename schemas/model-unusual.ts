/** The section `unusual_events` of a model file. */
import Type, { type Static } from 'typebox'

/** Whether, and how many of, the most unusual events of each window are kept. */
export const UnusualEvents = Type.Object(
  {
    keep: Type.Integer({
      minimum: 1,
      maximum: 50,
      default: 10,
      description: 'Events of each window that are kept.',
    }),
    rows: Type.Integer({
      minimum: 100,
      maximum: 10_000,
      default: 2000,
      description: 'Events that are drawn of each window and looked at.',
    }),
  },
  {
    additionalProperties: false,
    description:
      'Keeps the events of each window that least look like those of the baseline, by an isolation forest.',
  },
)
/** The section `unusual_events`, as read and checked. */
export type UnusualEvents = Static<typeof UnusualEvents>
