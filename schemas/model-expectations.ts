/** The section `expectations` of a model file: what its inputs must be. See docs/expectations.md. */
import Type, { type Static } from 'typebox'

/** Most rules of a model. */
const MAX_EXPECTATIONS = 200
/** Most values of `one_of`. */
const MAX_VALUES = 1000

const closed = { additionalProperties: false }
const limit = (description: string) => Type.Optional(Type.Number({ description }))
const length = (description: string) =>
  Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000, description }))

/** One rule: about a feature, about the age of an event, or about several features of one event. */
export const ModelExpectation = Type.Object(
  {
    name: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 200,
        description: 'The subject of its metric; the feature, or the expression, unless given.',
      }),
    ),
    feature: Type.Optional(
      Type.String({ minLength: 1, maxLength: 200, description: 'The feature it is about.' }),
    ),
    type: Type.Optional(
      Type.Enum(['number', 'integer', 'text', 'boolean'], {
        description: 'What a value of the feature is.',
      }),
    ),
    required: Type.Optional(
      Type.Boolean({ description: 'A missing value violates the rule; ignored unless true.' }),
    ),
    min: limit('The least number.'),
    max: limit('The greatest number.'),
    above: limit('Numbers lie above it.'),
    below: limit('Numbers lie below it.'),
    one_of: Type.Optional(
      Type.Array(Type.Union([Type.String({ maxLength: 1000 }), Type.Number(), Type.Boolean()]), {
        minItems: 1,
        maxItems: MAX_VALUES,
        description: 'All values there are.',
      }),
    ),
    pattern: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 500,
        description:
          'A regular expression that is found in the text; ^ and $ hold it at the ends. Without look-around and back-references.',
      }),
    ),
    min_length: length('Least characters of a text.'),
    max_length: length('Most characters of a text.'),
    monotone: Type.Optional(
      Type.Enum(['increasing', 'strictly_increasing', 'decreasing', 'strictly_decreasing'], {
        description: 'How the number goes on from event to event, by predicted_at.',
      }),
    ),
    per: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 200,
        description:
          'Events of one value are one series of monotone. A feature, or @subject_id, @group_id, @trace_id, @producer.',
      }),
    ),
    freshness: Type.Optional(
      Type.String({
        pattern: '^\\d+(ms|s|m|h|d)$',
        description: 'Most that lies between predicted_at and the arrival of an event.',
      }),
    ),
    expression: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 2000,
        description: 'A condition on the features of one event, such as `paid <= 1.2 * amount`.',
      }),
    ),
    tolerance: Type.Optional(
      Type.Number({
        minimum: 0,
        exclusiveMaximum: 1,
        description: 'Share of violations up to which a window is ok; 0 unless given.',
      }),
    ),
    severity: Type.Optional(
      Type.Enum(['alarm', 'warning'], {
        description: 'The verdict of a window with more violations; alarm unless given.',
      }),
    ),
    on_violation: Type.Optional(
      Type.Enum(['count', 'reject'], {
        description: 'Whether an event that violates it is stored and counted, or refused.',
      }),
    ),
  },
  closed,
)
/** A rule of `expectations` of a model file, as read and checked. */
export type ModelExpectation = Static<typeof ModelExpectation>

/** The section `expectations` of a model file. */
export const ModelExpectations = Type.Array(ModelExpectation, { maxItems: MAX_EXPECTATIONS })
