/** What commands ask of a running service. */

/**
 * Asks the service at PLUMBLINE_URL (http://127.0.0.1:8080), with the key of PLUMBLINE_KEY where
 * keys are set.
 *
 * @param body posted as JSON; without one the path is got
 * @throws with the sentence of the answer where it is none of success
 */
export async function ask<T>(path: string, body?: object): Promise<T> {
  const base = (process.env['PLUMBLINE_URL'] ?? 'http://127.0.0.1:8080').replace(/\/$/, '')
  const key = process.env['PLUMBLINE_KEY']
  const response = await fetch(`${base}${path}`, {
    headers: {
      ...(key !== undefined && { authorization: `Bearer ${key}` }),
      ...(body && { 'content-type': 'application/json' }),
    },
    ...(body && { method: 'POST', body: JSON.stringify(body) }),
  })
  const text = await response.text()
  if (response.ok) return JSON.parse(text) as T
  throw new Error(`${path} answered ${response.status}: ${detailOf(text) ?? text.slice(0, 300)}`)
}

/** The sentence of a problem document; undefined for what is none. */
function detailOf(text: string): string | undefined {
  try {
    return (JSON.parse(text) as { detail?: string } | null)?.detail
  } catch {
    return undefined
  }
}
