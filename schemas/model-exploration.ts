/** The section `exploration` of a model file: a model that chooses actions, some of them to learn. */
import Type, { type Static } from 'typebox'

/** How much a model is to explore. */
export const ModelExploration = Type.Object(
  {
    share: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 1,
        description:
          'Planned share of events with `exploration: true`; without one it is shown only.',
      }),
    ),
    tolerance: Type.Number({
      minimum: 0,
      maximum: 1,
      default: 0.2,
      description: 'How far, as a part of `share`, it may lie beside its plan.',
    }),
  },
  {
    additionalProperties: false,
    description:
      'Predictions are actions with a `propensity`, labels their rewards: what the policy is worth is evaluated.',
  },
)
/** The exploration of a model file, as read and checked. */
export type ModelExploration = Static<typeof ModelExploration>
