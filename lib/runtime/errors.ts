/** A request that cannot be served: answered as an RFC 9457 problem document. */
export class Problem extends Error {
  readonly status: number
  readonly code: string
  readonly headers: Record<string, string>
  /** Members of the document besides those of RFC 9457. */
  readonly extensions: Record<string, unknown>
  constructor(
    status: number,
    code: string,
    detail: string,
    headers: Record<string, string> = {},
    extensions: Record<string, unknown> = {},
  ) {
    super(detail)
    this.extensions = extensions
    this.name = 'Problem'
    this.status = status
    this.code = code
    this.headers = headers
  }
}

/** Most characters of one message; engines quote whole statements. */
const LONGEST = 1000

/** The message of an error and of everything that caused it, outermost first. */
export function messageOf(error: unknown): string {
  const parts: string[] = []
  for (let e: unknown = error; e !== undefined && e !== null && parts.length < 6;) {
    if (e instanceof AggregateError) return [e.message, ...e.errors.map(messageOf)].join('; ')
    const message = (e instanceof Error ? e.message : JSON.stringify(e)).slice(0, LONGEST)
    // Wrappers often repeat the message of what they wrap.
    if (!parts.some((part) => part.includes(message) || message.includes(part))) parts.push(message)
    e = e instanceof Error ? e.cause : undefined
  }
  return parts.join(': ')
}
