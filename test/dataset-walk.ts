/** Data sets as the document declares them. */
import { createHash } from 'node:crypto'
import { expect } from 'vitest'
import { ARGILLA_BODY, LABEL_STUDIO_BODY } from '../schemas/http/labels/exchange.ts'

type Walk = (
  operation: string,
  request?: { params?: Record<string, string>; query?: Record<string, string>; body?: object },
) => Promise<unknown>

const FOREIGN = [
  ['label-studio', LABEL_STUDIO_BODY],
  ['argilla', ARGILLA_BODY],
] as const

/** Makes a data set of the model `m`, which has predictions of January 2026, and fetches it. */
export async function walkDatasets(walk: Walk): Promise<void> {
  for (const [path, { content }] of FOREIGN) {
    const [labels] = content['application/json'].schema.examples
    await walk(`POST /v1/labels/${path}`, { body: labels! })
    await walk(`POST /v1/labels/${path}`, { body: [{}] })
  }
  const body = {
    actor: 'ann',
    model_id: 'm',
    from: '2026-01-01T00:00:00Z',
    to: '2026-01-02T00:00:00Z',
    rows: 'all',
    format: 'csv',
  }
  const { dataset_id, manifest } = (await walk('POST /v1/datasets', { body })) as {
    dataset_id: string
    manifest: { file: { rows: number; sha256: string } }
  }
  expect(manifest.file.rows).toBeGreaterThan(100)
  for (const wrong of [{ to: body.from }, { where: 'x >' }, { columns: ['features.y'] }])
    await walk('POST /v1/datasets', { body: { ...body, ...wrong } })
  const params = { id: dataset_id }
  await walk('GET /v1/datasets')
  await walk('GET /v1/datasets/{id}', { params })
  await walk('GET /v1/datasets/{id}', { params: { id: 'no' } })
  await walk('GET /v1/datasets/{id}/rows', { params })
  const csv = await walk('GET /v1/datasets/{id}/rows', { params, query: { actor: 'ann' } })
  expect(
    createHash('sha256')
      .update(csv as string)
      .digest('hex'),
  ).toBe(manifest.file.sha256)
}
