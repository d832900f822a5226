/** The section `descriptors` of a model file: features that are measured on an event's texts. */
import Type, { type Static } from 'typebox'

/** Texts of a prediction that can be measured. */
export const TEXT_FIELDS = ['input_text', 'output_text'] as const
/** A text that can be measured. */
export type TextField = (typeof TEXT_FIELDS)[number]

/** What is measured of one text; `docs/language-models.md` says how. */
export const TEXT_MEASURES = [
  'characters',
  'words',
  'sentences',
  'non_letter_share',
  'script',
  'json',
  'refusal',
  'repetition',
  'personal_data',
] as const
/** A measure of one text. */
export type TextMeasure = (typeof TEXT_MEASURES)[number]

/** The measure of both texts: how much of the output's words the input has. */
export const OVERLAP = 'output_text.overlap'

/** Names of all built-in descriptors, which are the names of the features. */
export const DESCRIPTOR_NAMES: readonly string[] = [
  ...TEXT_FIELDS.flatMap((field) => TEXT_MEASURES.map((measure) => `${field}.${measure}`)),
  OVERLAP,
]

/** What is measured of a language model whose file does not say. */
export const DEFAULT_DESCRIPTORS: readonly string[] = [
  'input_text.words',
  'output_text.words',
  'output_text.non_letter_share',
  'output_text.script',
  'output_text.refusal',
  'output_text.repetition',
]

/** Whether a pattern is found in a text, as a feature of any name. */
export const TextPattern = Type.Object(
  {
    name: Type.String({
      pattern: '^[a-z][a-z0-9_]{0,99}$',
      description: 'The feature is `<of>.<name>`.',
    }),
    of: Type.Enum([...TEXT_FIELDS]),
    pattern: Type.String({
      minLength: 1,
      maxLength: 500,
      description: 'A regular expression as `expectations` have them.',
    }),
  },
  { additionalProperties: false },
)
/** A declared pattern. */
export type TextPattern = Static<typeof TextPattern>

/** The schema of `descriptors`. */
export const ModelDescriptors = Type.Array(
  Type.Union([
    Type.String({ pattern: '^(input|output)_text\\.[a-z_]+$', description: 'A built-in measure.' }),
    TextPattern,
  ]),
  {
    maxItems: 40,
    description:
      'Features that are measured on `input_text` and `output_text` of each prediction; a language model has some unless it says `[]`.',
  },
)
/** `descriptors` of a model file, as read. */
export type ModelDescriptors = Static<typeof ModelDescriptors>
