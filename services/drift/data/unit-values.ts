/** What the producers, or the versions, of some windows answered, as they are compared. Pure. */

/** What units are: who emitted an event, or which version answered. */
export type UnitKind = 'producer' | 'version'

/** Numbers of one subject of one unit in one span; ranks are shares of the span, in (0, 1). */
export interface UnitNumbers {
  /** Index of the span, from 0. */
  span: number
  unit: string
  subject: string
  size: number
  mean: number
  meanRank: number
  rankVariance: number
}

/** How many events of a unit in one span have something. */
export interface UnitCounts {
  span: number
  unit: string
  /** Events that were drawn of it. */
  events: number
  /** The version that most of them are of. */
  version: string
  /** Events by what they have: `error`, `class x`, and `feature x` for a feature that is given. */
  having: Readonly<Record<string, number>>
}

/** Units of some spans. */
export interface UnitValues {
  numbers: readonly UnitNumbers[]
  counts: readonly UnitCounts[]
}
