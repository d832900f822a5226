/** How much each feature contributed to what a model answered, in some windows. Pure. */

/** Absolute attributions of one feature in one span. */
export interface FeatureAttribution {
  /** Index of the span, from 0. */
  span: number
  feature: string
  /** Mean absolute attribution over the events with any attribution; 0 of those without this one. */
  meanAbsolute: number
  /** Events of the span with attributions that were drawn. */
  events: number
}
