/** A message that can never be processed: it is dead-lettered with its code, and the consumer goes on. */
export class InvalidMessage extends Error {
  readonly code: string
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'InvalidMessage'
    this.code = code
  }
}

/** A request that cannot be served: answered as an RFC 9457 problem document. */
export class Problem extends Error {
  readonly status: number
  readonly code: string
  readonly headers: Record<string, string>
  constructor(status: number, code: string, detail: string, headers: Record<string, string> = {}) {
    super(detail)
    this.name = 'Problem'
    this.status = status
    this.code = code
    this.headers = headers
  }
}

/** The message of an error and of everything that caused it, outermost first. */
export function messageOf(error: unknown): string {
  const parts: string[] = []
  for (let e: unknown = error; e !== undefined && e !== null && parts.length < 6; ) {
    if (e instanceof AggregateError) return [e.message, ...e.errors.map(messageOf)].join('; ')
    parts.push(e instanceof Error ? e.message : String(e))
    e = e instanceof Error ? e.cause : undefined
  }
  return parts.join(': ')
}
