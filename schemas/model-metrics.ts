/** The section `metrics` of a model file: which of its numbers Prometheus gets. */
import Type, { type Static } from 'typebox'

/** Active alarms of a model that are series of their own, unless its file says otherwise. */
export const DEFAULT_ACTIVE = 3

/** What of a model Prometheus gets besides its verdicts by family and its headline. */
export const ModelMetrics = Type.Object(
  {
    active: Type.Integer({
      minimum: 0,
      maximum: 1000,
      default: DEFAULT_ACTIVE,
      description:
        'How many of its active alarms and warnings are series by name, the gravest first; all are counted.',
    }),
    values: Type.Array(Type.String({ minLength: 1, maxLength: 500 }), {
      default: [],
      maxItems: 1000,
      description:
        'Results that are series too: `*`, `family/*`, `family/metric` or `family/metric/subject`.',
    }),
    cohorts: Type.Array(Type.Enum(['versions', 'variants', 'slices']), {
      default: [],
      description: 'Whose series there are besides those of the model as a whole.',
    }),
  },
  { additionalProperties: false },
)
/** The section `metrics` of a model file, as read and checked. */
export type ModelMetrics = Static<typeof ModelMetrics>
