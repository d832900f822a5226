/** How a request of an enemy is written down. */

/** A text and how often it is repeated. */
export type Part = readonly [text: string, times: number]

/** One request, or many alike. */
export interface Step {
  method: 'POST' | 'PUT' | 'GET'
  path: string
  headers?: Record<string, string>
  /** Parts, for bodies too long to be written down. */
  body: string | readonly Part[]
  /** The body is sent compressed, and says so. */
  gzip?: true
  /** So many of it at once; 1 without it. */
  repeat?: number
}
