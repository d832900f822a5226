/** What the examples ask of Plumbline, over its public interfaces alone. */

export interface PlumblineClient {
  sendPredictions: (events: readonly object[]) => Promise<void>
  sendLabels: (events: readonly object[]) => Promise<void>
  /** Rows of a query on the ClickHouse interface. */
  query: <T>(sql: string, params?: Record<string, string | number>) => Promise<T[]>
  get: <T>(path: string) => Promise<T>
  post: (path: string, body: object) => Promise<void>
}

const BATCH = 2000
const RETRIES = 20
const RETRY_MS = 250

export function plumblineClient(url: string, clickhouseUrl: string): PlumblineClient {
  async function send(path: string, events: readonly object[]) {
    for (let i = 0; i < events.length; i += BATCH) {
      const batch = events.slice(i, i + BATCH)
      const body = batch.map((event) => JSON.stringify(event)).join('\n')
      const response = await retried(() =>
        fetch(`${url}${path}`, {
          method: 'POST',
          headers: { 'content-type': 'application/x-ndjson' },
          body,
        }),
      )
      const answer = (await response.json()) as { accepted: number; rejected: unknown[] }
      if (answer.accepted !== batch.length)
        throw new Error(
          `${path} took ${answer.accepted} of ${batch.length}: ${JSON.stringify(answer).slice(0, 300)}`,
        )
    }
  }
  return {
    sendPredictions: (events) => send('/v1/predictions', events),
    sendLabels: (events) => send('/v1/labels', events),
    query: async <T>(sql: string, params: Record<string, string | number> = {}) => {
      const search = new URLSearchParams({ default_format: 'JSONEachRow' })
      for (const [name, value] of Object.entries(params)) search.set(`param_${name}`, String(value))
      const response = await fetch(`${clickhouseUrl}/?${search.toString()}`, {
        method: 'POST',
        body: sql,
      })
      const text = await response.text()
      if (!response.ok) throw new Error(text)
      return text
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as T)
    },
    get: async <T>(path: string) => {
      const response = await fetch(`${url}${path}`)
      if (!response.ok)
        throw new Error(`${path} answered ${response.status}: ${await response.text()}`)
      return (await response.json()) as T
    },
    post: async (path, body) => {
      const response = await fetch(`${url}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
      if (!response.ok)
        throw new Error(
          `${path.split('?')[0]} answered ${response.status}: ${await response.text()}`,
        )
    },
  }
}

/** Tries again while the other side is overloaded or not up. */
async function retried(request: () => Promise<Response>): Promise<Response> {
  for (let attempt = 1; ; attempt++) {
    const response = await request()
    if (response.ok || attempt === RETRIES || (response.status !== 429 && response.status !== 503))
      return response
    await response.body?.cancel()
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
  }
}
