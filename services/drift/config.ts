import Type, { type Static } from 'typebox'

export const DriftConfig = Type.Object({
  PLUMBLINE_DRIFT_SCAN_SECONDS: Type.Integer({
    minimum: 1,
    default: 30,
    description: 'How often drift looks at each of its models unasked; hints come besides.',
  }),
})
export type DriftConfig = Static<typeof DriftConfig>
