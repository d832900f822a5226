import { expect, test } from 'vitest'
import { parseModel } from './model-files.ts'

/** The problems of a model file with this text after its id and task. */
function problemsOf(text: string): string[] {
  try {
    parseModel(`model_id: m\ntask: binary\n${text}`)
    return []
  } catch (error) {
    return (error as Error).message
      .split('\n')
      .slice(1)
      .map((line) => line.replace(/^ *- /, ''))
  }
}

const launch = (text: string) =>
  problemsOf(`retrain: [{ name: p, when: 'any(drift.psi, alarm)', launch: ${text} }]`)

test.each([
  [
    '{ kind: airflw, url: "http://x", dag: d }',
    [
      expect.stringMatching(
        /^retrain\.0\.launch\.kind airflw is none of webhook, airflow, .*; did you mean airflow\?$/,
      ),
    ],
  ],
  ['{ url: "http://x" }', [expect.stringMatching(/^retrain\.0\.launch\.kind must be one of /)]],
  ['{ kind: 7 }', [expect.stringMatching(/^retrain\.0\.launch\.kind must be one of /)]],
  ['{ kind: airflow, url: "http://x" }', ['retrain.0.launch.dag is required']],
  [
    '{ kind: airflow, url: "http://x", dag: d, pol: 3m }',
    ['retrain.0.launch.pol is no setting; did you mean poll?'],
  ],
  ['{ kind: webhook }', ['retrain.0.launch.url is required']],
  [
    '{ kind: airflow, url: "http://x", dag: "d{{run}}", poll: 3h }',
    [
      expect.stringMatching(
        /^retrain\.p\.launch: airflow names \{\{run\}\}: run_id, model_id, policy, .*, dataset$/,
      ),
      'retrain.p.launch: poll 3h must be from 1s to 1h',
    ],
  ],
  [
    '{ kind: airflow, url: "http://x", dag: d, conf: { a: "secret://env/X" } }',
    [expect.stringContaining('airflow may hold no secret')],
  ],
])('a launch %s is refused for its own kind alone', (text, problems) => {
  expect(launch(text)).toEqual(problems)
})

test('two faulty launches are told apart', () => {
  const one = (kind: string) =>
    `{ name: ${kind}, when: 'any(drift.psi, alarm)', launch: { kind: ${kind}, url: "http://x" } }`
  expect(problemsOf(`retrain: [${one('airflow')}, ${one('argo')}]`)).toEqual([
    'retrain.0.launch.dag is required',
    'retrain.1.launch.namespace is required',
    'retrain.1.launch.template is required',
  ])
})

test('an unknown setting is told with the nearest that there is', () => {
  expect(problemsOf('windws: { size: 1h }')).toEqual([
    'windws is no setting; did you mean windows?',
  ])
})
