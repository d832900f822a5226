/**
 * What counts and metrics are of: a feature, or one of the model's own values, whose names begin
 * with `@` (`@score`,
 * `@prediction`, …). A feature whose name begins with `@` has one more in front, so that the two never meet. Pure.
 */

const AT = 64

/**
 * The model's own numbers beside its prediction: the field of an event, which is the column of
 * `predictions` too, and the subject it is counted under. `isInput` is true for a number that
 * describes predictions, false for one that describes their operation.
 */
export const OWN_NUMBERS = [
  { field: 'score', subject: '@score', isInput: true },
  { field: 'latency_ms', subject: '@latency_ms', isInput: false },
  { field: 'time_to_first_token_ms', subject: '@time_to_first_token_ms', isInput: false },
  { field: 'cost_usd', subject: '@cost_usd', isInput: false },
  { field: 'input_tokens', subject: '@input_tokens', isInput: false },
  { field: 'output_tokens', subject: '@output_tokens', isInput: false },
] as const

/** Subjects whose sums over a window are reported: what it cost. */
export const TOTALLED: readonly string[] = ['@cost_usd', '@input_tokens', '@output_tokens']

/** The subject of a feature. */
export const featureSubject = (name: string): string =>
  name.charCodeAt(0) === AT ? `@${name}` : name

/** Whether a subject is a feature, not one of the model's own values. */
export const isFeature = (subject: string): boolean =>
  subject.charCodeAt(0) !== AT || subject.charCodeAt(1) === AT

/** The name of the feature of a subject. */
export const featureOf = (subject: string): string =>
  subject.charCodeAt(0) === AT ? subject.slice(1) : subject

/** The subjects of an array of feature names, in SQL. */
export const featureSubjects = (names: string): string =>
  `arrayMap(name -> if(startsWith(name, '@'), concat('@', name), name), ${names})`
