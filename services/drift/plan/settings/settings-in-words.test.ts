import { expect, test } from 'vitest'
import { parseModel, undeclared } from '../../../../lib/models/model-files.ts'
import { ModelFile } from '../../../../schemas/model.ts'
import { settingsInWords } from './settings-in-words.ts'

const settingsOf = (text: string) =>
  new Map(
    settingsInWords(parseModel(text)).flatMap(({ settings }) =>
      settings.map((one) => [one.setting, one]),
    ),
  )

test('a setting is a default unless the file names it, by any of its names', () => {
  const of = settingsOf(
    'model_id: m\ntask: binary\nwindows: { size: 7d }\nteam: risk\nalarms: fixed\ncohorts: { pairs: [[a, b]] }\n',
  )
  const named = [...of.values()].filter((one) => !one.is_default).map((one) => one.setting)
  expect(named).toEqual(['task', 'windows.size', 'alarms.kind', 'slices', 'owner'])
  expect(of.get('windows.min_count')).toMatchObject({ value: 200, is_default: true })
  expect(of.get('alarms.kind')?.says).toContain('Fixed lines')
})

test('what is written out as its default is of the file all the same', () => {
  const of = settingsOf('model_id: m\ntask: binary\nthreshold: 0.5\n')
  expect(of.get('threshold')).toMatchObject({ value: 0.5, is_default: false })
})

/** Settings that have no sentence: they name the model, or are shown in its card and in Prometheus. */
const LEFT_OUT = ['model_id', 'card', 'metrics', 'runbook_url']
/** Settings that are told under another name. */
const UNDER = { team: 'owner', environment: 'owner', alert_labels: 'owner' }

test('every section of a model file has a sentence', () => {
  const told = [...settingsOf('model_id: m\ntask: binary\n').keys()]
  const silent = Object.keys(ModelFile.properties).filter(
    (key) =>
      !LEFT_OUT.includes(key) &&
      !told.some(
        (setting) => setting.split('.')[0] === ((UNDER as Record<string, string>)[key] ?? key),
      ),
  )
  expect(silent).toEqual([])
})

test('sentences are whole, whatever is set and where no file is', () => {
  const files = [
    'model_id: m\ntask: regression\nwindows: { size: 7d, slide: 1d, season: 7d }\nlabels: { horizon: 2d, absent_means: "0", evaluate_at: [0.5, 1], resolve: majority }\n',
    'model_id: m\ntask: binary\nclasses: ["a"]\npositive_class: a\nscore_kind: margin\noutput: { kind: probability }\nreview: { budget_per_day: 1, reviewers: 2 }\nmultivariate: { rows: 100 }\nunusual_events: { keep: 3 }\nfairness: { attributes: { sex: {} } }\n',
  ].map((text) => parseModel(text))
  for (const model of [...files, undeclared('none')])
    for (const { settings } of settingsInWords(model))
      for (const { setting, says } of settings) {
        expect(says, setting).toMatch(/^\S.*\.$/)
        expect(says, setting).not.toMatch(/undefined|null|\[object|NaN/)
      }
})

test('no address of a launch is told', () => {
  const text =
    'model_id: m\ntask: binary\nretrain: [{ name: p, when: "labels.new > 5", launch: { kind: webhook, url: "http://secret.example/" } }]\n'
  expect(JSON.stringify(settingsInWords(parseModel(text)))).not.toContain('secret')
})
