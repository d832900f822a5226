/** The form and the answer of a model card. */
import Type, { type Static } from 'typebox'
import { closed } from '../parts.ts'

/** Form in which a card is asked for. */
export const CardQuery = closed({
  format: Type.Optional(
    Type.Enum(['markdown', 'json', 'html'], {
      description: 'Its form; by `Accept` unless given, JSON where that says nothing.',
    }),
  ),
})

const described = Type.Array(closed({ description: Type.String() }))

/** The fields of Google's Model Card Toolkit, schema 0.0.2. */
export const ToolkitCard = closed({
  schema_version: Type.String(),
  model_details: closed({
    name: Type.String(),
    overview: Type.Optional(Type.String()),
    owners: Type.Array(closed({ name: Type.String(), contact: Type.Optional(Type.String()) })),
    version: Type.Optional(closed({ name: Type.String(), date: Type.String() })),
    licenses: Type.Array(closed({ identifier: Type.String() })),
    references: Type.Array(closed({ reference: Type.String() })),
  }),
  model_parameters: closed({
    model_architecture: Type.Optional(Type.String()),
    data: Type.Array(closed({ name: Type.String(), description: Type.String() })),
    input_format: Type.Optional(Type.String()),
  }),
  quantitative_analysis: closed({
    performance_metrics: Type.Array(
      closed({
        type: Type.String(),
        value: Type.Number(),
        slice: Type.Optional(Type.String()),
        confidence_interval: Type.Optional(
          closed({ lower_bound: Type.Number(), upper_bound: Type.Number() }),
        ),
      }),
    ),
  }),
  considerations: closed({
    users: described,
    use_cases: described,
    limitations: described,
    tradeoffs: described,
    ethical_considerations: Type.Array(
      closed({ name: Type.String(), mitigation_strategy: Type.String() }),
    ),
  }),
})
export type ToolkitCard = Static<typeof ToolkitCard>

/** A model card as JSON. */
const CardJson = closed({
  model_card: ToolkitCard,
  made_at: Type.String({ description: 'When it was read.' }),
  sections: Type.Array(
    closed({
      title: Type.String(),
      texts: Type.Array(Type.String()),
      missing: Type.Array(Type.String(), { description: 'What is not known, said plainly.' }),
      table: Type.Optional(
        closed({
          columns: Type.Array(Type.String()),
          rows: Type.Array(Type.Array(Type.String())),
        }),
      ),
    }),
    { description: 'The whole card, as its other forms show it.' },
  ),
})
type CardJson = Static<typeof CardJson>

const EXAMPLE: CardJson = {
  model_card: {
    schema_version: '0.0.2',
    model_details: { name: 'fraud', owners: [], licenses: [], references: [] },
    model_parameters: { data: [] },
    quantitative_analysis: { performance_metrics: [{ type: 'accuracy', value: 0.9 }] },
    considerations: {
      users: [],
      use_cases: [],
      limitations: [],
      tradeoffs: [],
      ethical_considerations: [],
    },
  },
  made_at: '2026-01-01T00:00:00.000Z',
  sections: [{ title: 'Model', texts: ['Task: binary'], missing: ['there is no model file'] }],
}

/** A model card in each of its forms. */
export const CardAnswer = {
  description: 'The card in the form that was asked for.',
  content: {
    'application/json': { schema: CardJson, example: EXAMPLE },
    'text/markdown': { schema: Type.String(), example: '# Model card: fraud\n' },
    'text/html': { schema: Type.String(), example: '<!doctype html>' },
  },
}
