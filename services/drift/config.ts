import Type, { type Static } from 'typebox'

/** Settings of drift, by the name of their environment variable. */
export const DriftConfig = Type.Object({
  PLUMBLINE_DRIFT_SCAN_SECONDS: Type.Integer({
    minimum: 1,
    default: 30,
    description: 'How often drift looks at each of its models unasked; wake-ups come besides.',
  }),
  PLUMBLINE_DRIFT_MODELS_MAX: Type.Integer({
    minimum: 1,
    maximum: 1_000_000,
    default: 10_000,
    description: 'Models without a file that are evaluated, those with the most events first.',
  }),
  PLUMBLINE_METRICS_SERIES_MAX: Type.Integer({
    minimum: 0,
    maximum: 10_000_000,
    default: 12_000,
    description:
      'Series of evaluated windows that a process shows Prometheus, at most; plumbline_series_left_out counts the others.',
  }),
  PLUMBLINE_TRUSTYAI_GAUGES: Type.Enum(['off', 'on'], {
    default: 'off',
    description: 'Whether the last closed windows are shown under TrustyAI’s gauges too.',
  }),
})
/** The settings as parsed. */
export type DriftConfig = Static<typeof DriftConfig>
