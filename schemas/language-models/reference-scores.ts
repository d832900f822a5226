/** The section `reference_scores` of a model file: its answers beside reference texts. */
import Type, { type Static } from 'typebox'

/** Scores of an answer beside the reference text; `docs/language-models.md` says how. */
const OF_REFERENCE = ['exact_match', 'token_f1', 'bleu', 'rouge_l', 'chrf'] as const
/** All scores; `context_overlap` is beside the context. */
export const REFERENCE_SCORES = [...OF_REFERENCE, 'context_overlap'] as const
/** A score of an answer. */
export type ReferenceScore = (typeof REFERENCE_SCORES)[number]

/** The schema of `reference_scores`. */
export const ModelReferenceScores = Type.Object(
  {
    scores: Type.Array(Type.Enum([...REFERENCE_SCORES]), {
      minItems: 1,
      maxItems: REFERENCE_SCORES.length,
      uniqueItems: true,
      default: [...OF_REFERENCE],
      description: 'What is computed of each answer (`output_text`), 0 to 1, 1 the best.',
    }),
    label: Type.String({
      minLength: 1,
      maxLength: 200,
      default: 'label',
      description: 'Name of the label that is the reference text.',
    }),
    context: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 200,
        description:
          'Name of the label that is the text the answer was to be made of; `context_overlap` needs it.',
      }),
    ),
  },
  {
    additionalProperties: false,
    description: 'Scores of answers beside reference texts that come as labels.',
  },
)
/** `reference_scores` of a model file, as read. */
export type ModelReferenceScores = Static<typeof ModelReferenceScores>
