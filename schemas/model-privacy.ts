/** The section `privacy` of a model file: what is taken out of its events before they are kept. */
import Type, { type Static } from 'typebox'

/** What is looked for in texts. */
export const MASKS = ['email', 'phone', 'card', 'iban', 'names'] as const

const fieldNames = (description: string) =>
  Type.Array(Type.String({ minLength: 1, maxLength: 200 }), {
    maxItems: 1000,
    default: [],
    description,
  })

/** What of a model’s events is not kept as it came, as its model file says. */
export const ModelPrivacy = Type.Object(
  {
    drop: fieldNames(
      'Fields that are not kept: a field of the event, a feature, an attribute; or one of a map alone, as `features.name`.',
    ),
    hash: fieldNames(
      'Fields that are kept as a keyed hash (HMAC-SHA-256, the key in PLUMBLINE_PRIVACY_KEY_FILE): equal values stay equal, and ids still meet. Models that hash one id make the same hash.',
    ),
    withhold: fieldNames(
      'Fields that data sets give to callers with the scope `admin` alone, named as in `drop`; they are kept. `subject_id` always is one of them.',
    ),
    mask: Type.Array(Type.Enum([...MASKS]), {
      maxItems: MASKS.length,
      default: [],
      description:
        'What is looked for in every text (texts, strings of features and attributes, comments, bodies of model servers) and replaced by its kind, as `[email]`. Ids are not looked at: two would become one.',
    }),
    names: Type.Array(Type.String({ minLength: 2, maxLength: 100 }), {
      maxItems: 10_000,
      default: [],
      description: 'Names of people, of one word or several, that the mask `names` looks for.',
    }),
  },
  {
    additionalProperties: false,
    description: 'What is taken out of each event at validation, before anything keeps it.',
  },
)
/** The privacy rules of a model file, as read and checked. */
export type ModelPrivacy = Static<typeof ModelPrivacy>
