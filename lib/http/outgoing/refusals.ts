/** What an endpoint that does not take a launch says of it. */

/** Statuses by which a launch is refused for good: the same request again is refused again. */
const PERMANENT = new Set([
  400, 401, 403, 404, 405, 406, 409, 410, 411, 413, 414, 415, 422, 431, 451,
])

/** Whether a status refuses a launch for good; redirects do, since they are not followed. */
export const isPermanent = (status: number): boolean =>
  PERMANENT.has(status) || (status >= 300 && status < 400)

const MAX_BYTES = 16_384
const MAX_SENTENCE = 500
const UNPRINTABLE = /[^\P{C}]/gu

/** A text of another system without what no store or page takes. */
export const printable = (text: string): string => text.toWellFormed().replaceAll(UNPRINTABLE, ' ')

/**
 * Where answers in JSON tell what is wrong: RFC 9457, Airflow and FastAPI, Kubernetes, GitHub,
 * OAuth.
 */
const FIELDS = ['detail', 'message', 'error_description', 'error', 'title']

/**
 * Reads the sentence by which an endpoint refuses, from the first 16 KiB of its answer; '' where it
 * gives none.
 */
export const sentenceOf = async (response: Response): Promise<string> =>
  sentenceIn(await firstBytes(response, MAX_BYTES))

/** The sentence in an answer's text; '' where there is none. */
export function sentenceIn(text: string): string {
  const found = fieldOf(text) ?? (text.trimStart().startsWith('<') ? '' : text)
  return printable(found).replaceAll(/\s+/g, ' ').trim().slice(0, MAX_SENTENCE).toWellFormed()
}

/** The first bytes of an answer, as text; the rest is not read. */
export async function firstBytes({ body }: Response, maxBytes: number): Promise<string> {
  if (!body) return ''
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body as ReadableStream<Uint8Array>) {
    chunks.push(chunk)
    size += chunk.length
    if (size >= maxBytes) break
  }
  return Buffer.concat(chunks).subarray(0, maxBytes).toString()
}

function fieldOf(text: string): string | undefined {
  try {
    const answer: unknown = JSON.parse(text)
    if (typeof answer === 'string') return answer
    if (answer === null || typeof answer !== 'object') return undefined
    const fields = answer as Record<string, unknown>
    const found = FIELDS.map((name) => fields[name]).find(
      (value) => value !== undefined && value !== null,
    )
    return found === undefined
      ? undefined
      : typeof found === 'string'
        ? found
        : JSON.stringify(found)
  } catch {
    return undefined
  }
}
