/** `verdict.v1`: one evaluated result about one window. Key `model_id`. */
import Type, { type Static } from 'typebox'
import * as f from '../fields.ts'

const nullableNumber = (description: string) =>
  Type.Union([Type.Number(), Type.Null()], { description })

/** The schema of a `verdict.v1` event. */
export const VerdictV1 = Type.Object(
  {
    verdict_id: Type.String({
      description: 'Hash of the result and its revision: the same verdict twice has the same id.',
    }),
    model_id: f.id('The monitored model.'),
    model_version: Type.String({ description: "One version, or '' for all." }),
    variant: Type.String({ description: "One arm of an experiment, or '' for all." }),
    window_start: f.timestamp('Start of the window.'),
    window_end: f.timestamp('End of the window, which is no longer in it.'),
    slice_key: Type.String(),
    slice_value: Type.String(),
    family: Type.Enum(['drift', 'quality', 'performance', 'fairness', 'operations', 'feedback']),
    subject: Type.String({
      description: "A feature, @prediction, @score, a group, or '' for the model.",
    }),
    metric: Type.String(),
    convention: Type.String(),
    value: nullableNumber('Null where it cannot be known.'),
    baseline_value: Type.Optional(nullableNumber('The same metric of the baseline.')),
    threshold: nullableNumber('The line it was held against.'),
    verdict: Type.Enum(['ok', 'warning', 'alarm', 'incomplete', 'none']),
    previous_verdict: Type.String({ description: "Verdict of the earlier revision, or ''." }),
    reason: Type.String(),
    headline: Type.Optional(
      Type.String({
        description:
          "What the window alarms of in one sentence, the gravest first; '' where nothing alarms.",
      }),
    ),
    reference: Type.String({ description: 'What it was compared with.' }),
    reference_kind: Type.Optional(
      Type.String({
        description: 'What kind of reference that is: a table answers for skew, others for drift.',
      }),
    ),
    revision: Type.Integer({ minimum: 1 }),
    restates: Type.Integer({ minimum: 0, description: 'The revision this one replaces, or 0.' }),
    computed_at: f.timestamp('When it was evaluated.'),
  },
  { $id: 'verdict.v1', additionalProperties: true },
)
/** A `verdict.v1` event, as an object. */
export type VerdictV1 = Static<typeof VerdictV1>
