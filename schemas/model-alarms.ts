/** `alarms` of the model file: the budget, fixed lines, and lines of the owner's own. */
import Type, { type Static } from 'typebox'

const closed = { additionalProperties: false }

const Overrides = Type.Record(
  Type.String(),
  Type.Object(
    {
      warning: Type.Optional(Type.Union([Type.String(), Type.Number()])),
      alarm: Type.Optional(Type.Union([Type.String(), Type.Number()])),
    },
    closed,
  ),
  {
    description:
      'Lines outside the budget, by `family/metric` or `family/metric/subject`: "< 0.75", "> 0.25", "outside 0.8..1.25", "5 % worse" (or higher, lower) than the baseline. A number alone is refused: it does not say on which side of it things are bad.',
  },
)

const Settings = Type.Object(
  {
    kind: Type.Optional(
      Type.Enum(['budget', 'fixed'], {
        description:
          'budget, unless given: a window alarms when it differs from the baseline by more than its windows differ. fixed: the lines of docs/metrics.md decide, from the second window on.',
      }),
    ),
    false_alarms_per_week: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        description: 'False alarms that the model may cost a week; 0.25 unless given.',
      }),
    ),
    overrides: Type.Optional(Overrides),
  },
  { additionalProperties: false },
)

/**
 * What a model alarms by: a budget of false alarms, or the fixed lines of docs/metrics.md; `alarms:
 * fixed` is short for `alarms: { kind: fixed }`.
 */
export const ModelAlarms = Type.Union([Type.Enum(['budget', 'fixed']), Settings])
/** `alarms` of a model file, as read and checked. */
export type ModelAlarms = Static<typeof ModelAlarms>
/** The settings of `alarms`, whichever way they were written. */
export const alarmSettings = (alarms: ModelAlarms | undefined): Static<typeof Settings> =>
  typeof alarms === 'string' ? { kind: alarms } : (alarms ?? {})
