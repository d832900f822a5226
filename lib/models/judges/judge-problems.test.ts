/** Judges of model files: what they may be, and the sentences where they may not. */
import { expect, test } from 'vitest'
import { ConfigError } from '../../runtime/config.ts'
import { parseModel } from '../model-files.ts'

const judge = (more: string) =>
  `{ name: grounded, version: '1', prompt: prompts/g.yaml, answer: { classes: [yes, no] }, ${more} }`
const ENDPOINT = 'endpoint: { url: "https://api.example.com/v1", model: small }'
const file = (judges: string, head = 'task: llm') =>
  `model_id: chat\n${head}\njudges: [${judges}]\n`

function problemsOf(text: string): readonly string[] {
  try {
    parseModel(text)
  } catch (error) {
    return (error as ConfigError).problems
  }
  return []
}

test('a judge has defaults for all that it need not say', () => {
  const [found] = parseModel(file(judge(ENDPOINT))).judges
  expect(found).toMatchObject({
    sample: 0.01,
    budget_usd_per_day: 1,
    attempts: 4,
    concurrency: 2,
    timeout: '60s',
    endpoint: { response_format: 'json_schema', output_limit: 'max_tokens' },
  })
  expect(parseModel(file(judge('command: [judge, --quick]'))).judges[0]!.command).toHaveLength(2)
})

test.each([
  ['', 'judges.grounded needs either endpoint or command'],
  [`${ENDPOINT}, command: [x]`, 'judges.grounded needs either endpoint or command'],
  [`${ENDPOINT}, timeout: 100ms`, 'judges.grounded.timeout 100ms must be from 1s to 10m'],
  [`${ENDPOINT}, timeout: 11m`, 'judges.grounded.timeout 11m must be from 1s to 10m'],
  ['endpoint: { url: "http://", model: m }', 'judges.grounded.endpoint.url http:// is no address'],
  [
    'endpoint: { url: "https://a/v1?key=1", model: m }',
    'judges.grounded.endpoint.url may have no ? and no #',
  ],
  [
    'endpoint: { url: "https://u:p@a/v1", model: m }',
    'judges.grounded.endpoint.url may hold no user: give key',
  ],
  [
    'endpoint: { url: "https://a/v1", model: m, key: sk-123 }',
    'judges.grounded.endpoint.key must be written secret://env/NAME',
  ],
  [
    'endpoint: { url: "https://a/v1", model: m, key: "secret://env/PLUMBLINE_KEY" }',
    'judges.grounded.endpoint.key secret://env/PLUMBLINE_KEY is a setting of this service, and is not sent out',
  ],
  [
    'endpoint: { url: "https://a/v1", model: m, parameters: { stream: true } }',
    'judges.grounded.endpoint.parameters.stream is set by Plumbline itself',
  ],
])('%s is refused', (more, problem) => expect(problemsOf(file(judge(more)))).toEqual([problem]))

test.each([
  ['{}', '.answer needs classes, minimum and maximum, or pair'],
  ['{ minimum: 1 }', '.answer needs classes, minimum and maximum, or pair'],
  ['{ minimum: 5, maximum: 1 }', '.answer.minimum must be below maximum'],
  [
    '{ minimum: 1.2, maximum: 1.8, whole: true }',
    '.answer: no whole number lies from minimum to maximum',
  ],
  [
    '{ classes: [a, b], minimum: 1 }',
    '.answer has classes, and may have neither minimum, maximum nor whole',
  ],
  [
    '{ pair: [output_text, attributes.other], classes: [a, b] }',
    '.answer has pair, and may have nothing else',
  ],
])('the answer %s is refused', (answer, problem) =>
  expect(
    problemsOf(
      file(`{ name: g, version: '1', prompt: prompts/g.yaml, answer: ${answer}, ${ENDPOINT} }`),
    ),
  ).toEqual([`judges.g${problem}`]),
)

test('a judge of the truth answers as the model does', () => {
  const truth = (answer: string) =>
    `{ name: g, version: '1', label: label, prompt: prompts/g.yaml, answer: ${answer}, ${ENDPOINT} }`
  const classes = 'task: multiclass\nclasses: [a, b]'
  expect(problemsOf(file(truth('{ classes: [a, b] }'), classes))).toEqual([])
  expect(problemsOf(file(truth('{ classes: [a, c] }'), classes))).toEqual([
    'judges.g.answer.classes names c, no classes of the model',
  ])
  expect(problemsOf(file(truth('{ minimum: 0, maximum: 1 }'), classes))).toHaveLength(1)
  expect(problemsOf(file(truth('{ classes: [a, b] }'), 'task: regression'))).toEqual([
    'judges.g.answer must be a range: the label of a regression is a number',
  ])
})

test.each(['../g.yaml', 'prompts/../g.yaml', '/etc/passwd', 'prompts/g.txt', 'prompts/a/b.yaml'])(
  'the prompt file %s is refused',
  (path) =>
    expect(problemsOf(file(judge(ENDPOINT).replace('prompts/g.yaml', path)))).toEqual([
      expect.stringMatching(/prompt/),
    ]),
)

test('two judges of one name, and more than ten, are refused', () => {
  expect(problemsOf(file(`${judge(ENDPOINT)}, ${judge(ENDPOINT)}`))).toEqual([
    'judges: two are named grounded',
  ])
  const many = Array.from({ length: 11 }, (_, i) => judge(ENDPOINT).replace('grounded', `j${i}`))
  expect(problemsOf(file(many.join(',')))).toEqual([expect.stringMatching(/^judges /)])
})
