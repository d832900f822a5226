/**
 * Active alarms: a row of the view `active_alarms`, and the one statement that reads it. Every
 * service, page and gauge that asks what is wrong now asks with it.
 */
import Type, { type Static } from 'typebox'
import { closed, nullable, time } from './http/parts.ts'

const number = (description: string) => nullable(Type.Number({ description }))

/** An alarm or a warning that was evaluated last. */
export const ActiveAlarm = closed({
  model_id: Type.String(),
  model_version: Type.String({ description: 'One version, or empty for all.' }),
  variant: Type.String({ description: 'One arm of an experiment, or empty for all.' }),
  slice_key: Type.String(),
  slice_value: Type.String(),
  family: Type.String(),
  metric: Type.String(),
  subject: Type.String({ description: 'A feature, a group, or empty for the model.' }),
  reference: Type.String(),
  severity: Type.Enum(['warning', 'alarm']),
  value: number('Null where it cannot be known.'),
  baseline_value: number('The same metric of the baseline; null where the baseline has none.'),
  threshold: number('The line it is held against.'),
  reason: Type.String(),
  window_start: time('Start of the window that was evaluated last.'),
  window_end: time('End of it: how old the evidence is.'),
  since: time('End of the first window of the episode.'),
  verdict_id: Type.String({ description: 'What accept, dismiss and snooze name.' }),
  episode_id: Type.String({ description: 'The alert episode, or empty.' }),
  snoozed_until: nullable(time('End of the last snooze.')),
  is_snoozed: Type.Boolean(),
})
/** A row of `active_alarms`; its times are RFC 3339. */
export type ActiveAlarm = Static<typeof ActiveAlarm>

/** Which active alarms are asked for. */
export interface ActiveAlarmsQuestion {
  /** Models whose alarms are read; all models where none is named. */
  models: readonly string[]
  /** Those of models as a whole: versions, variants and slices are left out. */
  isWhole: boolean
  /** Whether snoozed ones are among them. */
  withSnoozed: boolean
  /** Rows at most. */
  most: number
  /** Rows of one family of one model at most; no bound unless given. */
  mostOfFamily?: number
  /**
   * Alarms of each model at most, the gravest by this order of families; all of them unless given.
   */
  gravest?: { ofModel: number; families: readonly string[] }
}

const COLUMNS = Object.keys(ActiveAlarm.properties).join(', ')

/** Order of alarms: by model, and within it what is graver first. */
const GRAVITY = `model_id, model_version = '' AND variant = '' AND slice_key = '' DESC, severity = 'alarm' DESC,
   indexOf({families:Array(String)}, family), metric, subject,`

/** The statement of a question, and its parameters; alarms first, then the newest episode. */
export const activeAlarmsSql = ({
  models,
  isWhole,
  withSnoozed,
  most,
  mostOfFamily,
  gravest,
}: ActiveAlarmsQuestion): [sql: string, params: Record<string, readonly string[]>] => [
  `SELECT ${COLUMNS} FROM active_alarms WHERE (empty({models:Array(String)}) OR model_id IN {models:Array(String)})
     ${isWhole ? "AND model_version = '' AND variant = '' AND slice_key = ''" : ''} ${withSnoozed ? '' : 'AND NOT is_snoozed'}
   ORDER BY ${gravest ? GRAVITY : ''} severity = 'alarm' DESC, since DESC, model_id, slice_key, slice_value, model_version, family, value DESC, metric, subject
   ${mostOfFamily === undefined ? '' : `LIMIT ${mostOfFamily} BY model_id, family`}
   ${gravest ? `LIMIT ${gravest.ofModel} BY model_id` : ''} LIMIT ${most}`,
  { models, families: gravest?.families ?? [] },
]
