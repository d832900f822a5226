/** Ratings as the document declares them. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

type Walk = (
  operation: string,
  request?: { headers?: Record<string, string>; body?: object },
) => Promise<unknown>

/** Writes a key of tokens into a folder. @returns the path of its file */
export function feedbackKeyIn(directory: string): string {
  const path = join(directory, 'feedback-key')
  writeFileSync(path, 'k'.repeat(32))
  return path
}

/** Makes a token, and rates a prediction of the model `m` with it, without it and beyond it. */
export async function walkRatings(walk: Walk): Promise<void> {
  const of = { model_id: 'm', prediction_id: 'rated', names: ['thumbs'] }
  const { token } = (await walk('POST /v1/feedback-tokens', { body: of })) as { token: string }
  const rating = { prediction_id: 'rated', name: 'thumbs', label: 'up' }
  const headers = { authorization: `Bearer ${token}` }
  await walk('POST /v1/feedback', { body: rating, headers })
  await walk('POST /v1/feedback', { body: { ...rating, name: 'stars' }, headers })
  await walk('POST /v1/feedback', { body: rating })
  await walk('OPTIONS /v1/feedback')
}
