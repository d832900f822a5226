/** A request as a friend sends it. */
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json }

export interface ValidRequest {
  /** The row of the table it belongs to. */
  group: string
  method: string
  /** Path with `{name}` where a text of the caller's stands, as OpenAPI writes it. */
  path: string
  /** What stands there. */
  params?: Record<string, string>
  query?: Record<string, string>
  headers?: Record<string, string>
  /** Sent as JSON. */
  body?: Json
  /** Sent as one JSON text a line. */
  lines?: Json[]
}
