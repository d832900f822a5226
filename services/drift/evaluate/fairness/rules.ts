/** What the fairness of one protected attribute is evaluated by. Pure. */
import type { GroupCounts } from '../../data/window-data.ts'

/** Level of the intervals that are shown. */
export const CI_LEVEL = 0.95

/** What verdicts on one protected attribute depend on. */
export interface FairnessRules {
  attribute: string
  /** The group others are compared with; when undefined the largest one that has the attribute. */
  privileged: string | undefined
  minCount: number
  /** Share of the label horizon that has passed at the last interim look; 0 before the first. */
  maturity: number
  /** The probability that one test alarms by chance. */
  alpha: number
}

/** `sex=1`, and of an intersection `sex=1&race=2`. */
export const subjectOf = (group: GroupCounts, rules: FairnessRules) =>
  `${rules.attribute.split('&')[0]!}=${group.group}`
