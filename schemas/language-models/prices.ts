/** The price file, `PLUMBLINE_PRICES_FILE`: what tokens of language models cost, and since when. */
import Type, { type Static } from 'typebox'

const dollars = (description: string) =>
  Type.Number({ minimum: 0, maximum: 1_000_000, description })

/** The price of one model, or of all whose names begin alike. */
export const Price = Type.Object(
  {
    model: Type.String({
      minLength: 1,
      maxLength: 200,
      pattern: '^[^*]+\\*?$',
      description:
        '`model_version` of the predictions; a `*` at its end stands for any ending. The longest that fits counts.',
    }),
    provider: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 200,
        description: 'Attribute `provider` of the predictions; any unless given.',
      }),
    ),
    from: Type.Optional(
      Type.String({
        pattern: '^\\d{4}-\\d{2}-\\d{2}$',
        description: 'The first day, in UTC; from ever unless given.',
      }),
    ),
    input_per_million: dollars('US dollars for a million tokens read.'),
    output_per_million: dollars('US dollars for a million tokens written.'),
  },
  { additionalProperties: false },
)
/** One entry of the price file. */
export type Price = Static<typeof Price>

/** The schema of the price file. */
export const PriceFile = Type.Object(
  { prices: Type.Array(Price, { maxItems: 5000 }) },
  { $id: 'prices', additionalProperties: false },
)
/** The price file, as read and checked. */
export type PriceFile = Static<typeof PriceFile>
