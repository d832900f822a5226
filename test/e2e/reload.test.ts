/** A process takes changed model files at SIGHUP, all or none, and tells what is in force. */
import { mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { temporaryDirectory } from '../harness.ts'
import { startTarget, until, type Running } from '../servers/processes.ts'

const SECRET = 'whsec_bm9ib2R5IG1heSByZWFkIHRoaXMsIG5vYm9keQ=='
const folder = mkdtempSync(join(temporaryDirectory(), 'models-'))
const sources = mkdtempSync(join(temporaryDirectory(), 'sources-'))
const file = (id: string, more = '') => `model_id: ${id}\ntask: binary\n${more}`
let plumbline: Running

interface InForce {
  settings: { name: string; value: unknown }[]
  models: {
    folder: string
    files: { file: string; model_id: string }[]
    refused: { problems: string[] } | null
  }
  sources: { files: { source: string; revision: string }[]; refused: { problems: string[] } | null }
}
const text = async () => (await fetch(`${plumbline.url}/v1/config`)).text()
const inForce = async () => JSON.parse(await text()) as InForce

beforeAll(async () => {
  writeFileSync(join(folder, 'a.yaml'), file('a'))
  plumbline = await startTarget('all', {
    PLUMBLINE_DATA_DIR: join(temporaryDirectory(), 'data'),
    PLUMBLINE_MODELS_DIR: folder,
    PLUMBLINE_SOURCES_DIR: sources,
    PLUMBLINE_MODELS_POLL_SECONDS: '0',
    PLUMBLINE_WEBHOOK_SECRET: SECRET,
  })
})
afterAll(async () => {
  await plumbline?.stop()
})

test('what is in force is told, and no secret with it', async () => {
  const { settings, models } = await inForce()
  expect(models).toMatchObject({
    folder,
    files: [{ file: 'a.yaml', model_id: 'a' }],
    refused: null,
  })
  expect(settings).toContainEqual({ name: 'PLUMBLINE_MODELS_POLL_SECONDS', value: 0 })
  expect(settings).toContainEqual({ name: 'PLUMBLINE_WEBHOOK_SECRET', value: null })
  expect(await text()).not.toContain(SECRET)
})

test('one file with a problem, and none is taken; repaired, all are', async () => {
  writeFileSync(join(folder, 'a.yaml'), file('a', 'owner: ann\n'))
  writeFileSync(join(folder, 'b.yaml'), file('b', 'windows: { size: 1 fortnight }\n'))
  plumbline.child.kill('SIGHUP')
  await until('a refusal', async () => (await inForce()).models.refused !== null)
  const { models } = await inForce()
  expect(models.refused!.problems).toEqual([expect.stringMatching(/^b\.yaml: windows\.size /)])
  expect(models.files).toHaveLength(1)
  const metrics = async () => (await fetch(`${plumbline.url}/metrics`)).text()
  expect(await metrics()).toContain('plumbline_model_info{model_id="a",owner="",')

  writeFileSync(join(folder, 'b.yaml'), file('b', 'windows: { size: 1d }\n'))
  plumbline.child.kill('SIGHUP')
  await until('both files', async () => (await inForce()).models.files.length === 2)
  expect((await inForce()).models.refused).toBeNull()
  expect(await metrics()).toContain('plumbline_model_info{model_id="a",owner="ann",')
  const listed = await (await fetch(`${plumbline.url}/v1/models`)).json()
  expect(listed).toMatchObject({ models: [{ model_id: 'a' }, { model_id: 'b' }] })
})

const sourceFile = (name: string, score = '$.score') => `source: ${name}
files: some.jsonl
format: json
events:
  - type: prediction
    fields: { prediction_id: $.id, model_id: a, model_version: "1", predicted_at: $.at, score: ${score} }
`

test('source files likewise: all of them or none, and what they are is told', async () => {
  expect((await inForce()).sources).toMatchObject({ files: [], refused: null })
  writeFileSync(join(sources, 'one.yaml'), sourceFile('one'))
  writeFileSync(join(sources, 'two.yaml'), 'source: two\nformat: jsn\n')
  plumbline.child.kill('SIGHUP')
  await until('a refusal', async () => (await inForce()).sources.refused !== null)
  const { refused, files } = (await inForce()).sources
  expect(files).toEqual([])
  expect(refused!.problems.every((problem) => problem.startsWith('two.yaml: '))).toBe(true)
  const metrics = async () => (await fetch(`${plumbline.url}/metrics`)).text()
  expect(await metrics()).toMatch(/^plumbline_source_file_problems [1-9]/m)
  writeFileSync(join(sources, 'two.yaml'), sourceFile('two'))
  plumbline.child.kill('SIGHUP')
  await until('both sources', async () => (await inForce()).sources.files.length === 2)
  const before = (await inForce()).sources
  expect([before.files.map(({ source }) => source), before.refused]).toEqual([['one', 'two'], null])
  expect(await metrics()).toMatch(/^plumbline_source_file_problems 0$/m)
  writeFileSync(join(sources, 'two.yaml'), sourceFile('two', '$.p'))
  plumbline.child.kill('SIGHUP')
  await until('another revision', async () => {
    const { files: after } = (await inForce()).sources
    return after[1]!.revision !== before.files[1]!.revision
  })
  expect((await inForce()).sources.files[0]).toEqual(before.files[0])
})
