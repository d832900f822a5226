/** Each system's requests and answers, held against the shapes that it documents. */
import { expect, test } from 'vitest'
import type { LaunchOf } from '../../../schemas/launch-systems.ts'
import { systemOf } from '../../../services/retrain-trigger/launchers/systems/by-kind.ts'
import { answer, run } from './expected.ts'
import { ORCHESTRATORS } from './orchestrators.ts'
import { SERVICES } from './services.ts'

const SYSTEMS = [...ORCHESTRATORS, ...SERVICES]

test.each(SYSTEMS)('%s: requests and answers', (_, { launch, start, started, ...rest }) => {
  const system = systemOf(launch)
  const job = { id: 'j', url: '' }
  expect(system.start(launch, run)).toMatchObject(start)
  for (const [given, id] of started) {
    const result = system.started(given, launch)
    expect(typeof result === 'object' ? result.id : result).toBe(id)
  }
  if (rest.find) {
    expect(system.find!(launch, run).path).toBe(rest.find.path)
    for (const [given, id] of rest.find.found) expect(system.found(given, launch, run)?.id).toBe(id)
  } else expect(system.find).toBeUndefined()
  expect(system.status(launch, job).path).toBe(rest.status.path)
  for (const [body, state] of rest.status.states)
    expect(system.statusOf(answer(200, body), launch)?.state).toBe(state)
  expect(system.cancel(launch, job)).toMatchObject(rest.cancel)
})

test('a second start is met by a key, by a name that exists, or by a look before it', () => {
  for (const [, { launch, started }] of SYSTEMS) {
    const { looksFirst, find } = systemOf(launch)
    const hasName = started.some(([, id]) => id === 'exists')
    const hasKey = find === undefined
    expect([launch.kind, looksFirst || hasName || hasKey]).toEqual([launch.kind, true])
  }
})

test('answers of the wrong shape are none, whatever stands in them', () => {
  const shapes = [
    undefined,
    null,
    7,
    'x',
    [],
    [[]],
    {},
    { state: {} },
    { data: [] },
    { status: [] },
  ]
  for (const [, { launch }] of SYSTEMS)
    for (const body of shapes) {
      const system = systemOf(launch)
      expect(system.statusOf(answer(200, body), launch)).toBeUndefined()
      expect(system.found(answer(200, body), launch, run)).toBeUndefined()
    }
})

test('what a job is named by cannot leave its path', () => {
  for (const [, { launch }] of SYSTEMS) {
    const { path } = systemOf(launch).status(launch, { id: '../../admin?x=', url: '' })
    expect(path).not.toContain('../')
  }
  const settings: LaunchOf<'prefect'> = { kind: 'prefect', url: 'http://x', deployment: 'd' }
  for (const id of ['.', '..', ''])
    expect(systemOf(settings).started(answer(201, { id }), settings)).toBeUndefined()
})

test('what a system says is kept as a store can hold it', () => {
  const launch: LaunchOf<'prefect'> = { kind: 'prefect', url: 'http://x', deployment: 'd' }
  const said = { state_type: 'FAILED', state: { message: 'out\u0000of\ud800memory' } }
  expect(systemOf(launch).statusOf(answer(200, said), launch)?.message).toBe('out of\ufffdmemory')
})
