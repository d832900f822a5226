/** The section `card` of a model file: what a model card says that no number tells. */
import Type, { type Static } from 'typebox'

const closed = { additionalProperties: false }
const text = (description: string) =>
  Type.Optional(Type.String({ minLength: 1, maxLength: 4000, description }))
const texts = (description: string) =>
  Type.Optional(
    Type.Array(Type.String({ minLength: 1, maxLength: 1000 }), { maxItems: 50, description }),
  )
const link = (description: string) =>
  Type.Optional(Type.String({ pattern: '^https?://\\S+$', maxLength: 2000, description }))

/** What `GET /v1/models/{id}/card` says of a model besides what was measured. */
export const ModelCard = Type.Object(
  {
    purpose: text('What the model is for, in words.'),
    risk_class: Type.Optional(
      Type.Enum(['high', 'limited', 'minimal'], {
        description: 'The class that its owner puts it in under the EU AI Act.',
      }),
    ),
    role: Type.Optional(
      Type.Enum(['provider', 'deployer', 'both'], {
        description: 'What its owner is under the EU AI Act.',
      }),
    ),
    users: texts('Who is meant to use it.'),
    use_cases: texts('What it is meant to be used for.'),
    limitations: texts('What it is not good for, and what it must not be used for.'),
    tradeoffs: texts('What was given up for what.'),
    risks: Type.Optional(
      Type.Array(
        Type.Object(
          {
            name: Type.String({ minLength: 1, maxLength: 500 }),
            mitigation: Type.String({ minLength: 1, maxLength: 2000 }),
          },
          closed,
        ),
        { maxItems: 50, description: 'Risks to people, and what is done about each.' },
      ),
    ),
    architecture: text('What kind of model it is.'),
    training_data: text('What it was trained on, where from, and what is sensitive in it.'),
    license: text('An SPDX identifier, or `proprietary`.'),
    oversight: text('Which people oversee it, and what they may do.'),
    instructions_url: link('Its instructions for use.'),
    monitoring_plan_url: link('Its post-market monitoring plan.'),
  },
  { ...closed, description: 'What its model card says besides what is measured.' },
)
/** The card of a model file, as read and checked. */
export type ModelCard = Static<typeof ModelCard>
