import Type, { type Static } from 'typebox'

const days = (description: string) =>
  Type.Optional(Type.String({ pattern: '^[1-9]\\d{0,4}d$', description }))

/** Settings of keeping and deleting, by the name of their environment variable. */
export const KeepConfig = Type.Object({
  PLUMBLINE_RETENTION_PREDICTIONS: days(
    'Days for which predictions are kept, such as 180d, unless their model file says otherwise. Unset: for ever.',
  ),
  PLUMBLINE_RETENTION_LABELS: days(
    'Days for which labels and outcomes are kept, unless their model file says otherwise. Unset: for ever.',
  ),
  PLUMBLINE_RETENTION_DEAD_LETTERS: days(
    'Days for which dead letters are kept in their table. Unset: for ever.',
  ),
  PLUMBLINE_RETENTION_ATTRIBUTES: days(
    'Days after `observed_at` for which attributes that came apart from predictions are kept. Unset: for ever.',
  ),
})
/** The settings as parsed. */
export type KeepConfig = Static<typeof KeepConfig>
