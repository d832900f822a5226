import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import avro from 'avsc'
import { expect, test } from 'vitest'
import { createValidator } from '../../lib/events/validator.ts'
import { parseModel } from '../../lib/models/model-files.ts'
import { AttributesV1 } from '../../schemas/events/attributes.v1.ts'
import { LabelV1 } from '../../schemas/events/label.v1.ts'
import { PredictionV1 } from '../../schemas/events/prediction.v1.ts'
import { readElec2 } from '../../examples/elec2.ts'
import { artefacts } from '../../scripts/artefacts.ts'
import { ROOT } from '../servers/processes.ts'

test.each([...artefacts()])('%s is what npm run emit writes', (path, content) => {
  expect(existsSync(join(ROOT, path)), `${path} is missing: run npm run emit`).toBe(true)
  expect(readFileSync(join(ROOT, path), 'utf8')).toBe(content)
})

const schemas = {
  'prediction.v1': PredictionV1,
  'label.v1': LabelV1,
  'attributes.v1': AttributesV1,
}
const examples = readdirSync(join(ROOT, 'schemas/examples')).flatMap((event) =>
  readdirSync(join(ROOT, 'schemas/examples', event)).map((file) => ({
    event: event as keyof typeof schemas,
    file,
  })),
)

test('there are valid and invalid examples of every event', () => {
  for (const event of Object.keys(schemas)) {
    const files = examples
      .filter((example) => example.event === event)
      .map((example) => example.file)
    expect(files.some((file) => file.startsWith('valid-'))).toBe(true)
    expect(files.some((file) => file.startsWith('invalid-'))).toBe(true)
  }
})

test.each(examples)(
  '$event/$file is validated as its name says, by our verdict and by the emitted JSON Schema',
  ({ event, file }) => {
    const text = readFileSync(join(ROOT, 'schemas/examples', event, file), 'utf8')
    const verdict = createValidator(schemas[event]).text(text)
    expect(verdict.ok).toBe(file.startsWith('valid-'))
    // invalid-<code>[-…].json
    if (!verdict.ok) expect(file).toContain(verdict.rejection.code)
    const ajv = new Ajv({ strict: false, formats: { 'event-time': true } })
    const schema = JSON.parse(
      readFileSync(join(ROOT, 'schemas/json', `${event}.json`), 'utf8'),
    ) as { $schema: string }
    const { $schema: _, ...rest } = schema
    if (verdict.ok) expect(ajv.validate(rest, JSON.parse(text))).toBe(true)
  },
)

test.each(['prediction', 'label'])(
  'the Avro schema of %s.v1 is one, and holds a minimal event',
  (name) => {
    const type = avro.Type.forSchema(
      JSON.parse(readFileSync(join(ROOT, `schemas/avro/${name}.v1.avsc`), 'utf8')) as avro.Schema,
      { wrapUnions: true },
    )
    const minimal =
      name === 'prediction'
        ? { prediction_id: 'p', model_id: 'm', model_version: '1', predicted_at: 1767225600000 }
        : {
            label_id: 'l',
            model_id: 'm',
            prediction_id: { string: 'p' },
            label: { string: '1' },
            labelled_at: 1767225600000,
            source: 'ground_truth',
          }
    const record = {
      ...Object.fromEntries(
        (type as unknown as { fields: { name: string }[] }).fields.map((field) => [
          field.name,
          null,
        ]),
      ),
      ...minimal,
    }
    expect(type.isValid(record)).toBe(true)
    expect(type.fromBuffer(type.toBuffer(record))).toMatchObject(minimal)
  },
)

test.each(readdirSync(join(ROOT, 'models')).filter((file) => file.endsWith('.yaml')))(
  'models/%s is a valid model file',
  (file) => {
    expect(parseModel(readFileSync(join(ROOT, 'models', file), 'utf8')).modelId).toBe(
      file.replace('.yaml', ''),
    )
  },
)

test('the data of the examples comes with the project', () => {
  expect(readElec2()).toHaveLength(45_312)
  expect(existsSync(join(ROOT, 'examples/data/ma_employment.csv.gz'))).toBe(true)
})
