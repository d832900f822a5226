import { expect, test } from 'vitest'
import type { Rollout, StepVerdict } from '../../../schemas/http/runs/rollout.ts'
import { goOn, newRollout, nextMove, type RolloutFacts, type StepTerms } from './rollout.ts'

const NOW = Date.UTC(2026, 0, 1)
const HOUR = 3_600_000
const terms: StepTerms = {
  steps: [1, 5, 25, 100],
  served_when: 'reported',
  min_events: 100,
  min_labelled: 50,
  at_least: '1h',
  step_within: '1d',
  when_late: 'hold',
  on_worse: 'propose',
  alpha: 0.05,
}

const verdict = (more: Partial<StepVerdict> = {}): StepVerdict => ({
  ...{ decision: 'undecided', reason: '', n_current: 9900, n_candidate: 100 },
  ...{ labelled_current: 9000, labelled_candidate: 50, metrics: [] },
  evaluated_at: new Date(NOW).toISOString(),
  ...more,
})

const facts = (rollout: Partial<Rollout>, more: Partial<RolloutFacts> = {}): RolloutFacts => ({
  rollout: { ...newRollout(more.terms ?? terms, NOW), ...rollout },
  terms,
  version: '8',
  launch: undefined,
  served: new Map([
    ['7', 9900],
    ['8', 100],
  ]),
  verdict: undefined,
  now: NOW,
  streamAt: NOW,
  ...more,
})
const watching: Partial<Rollout> = {
  ...{ state: 'watching', place: 1, share: 5, current_version: '7', step_run: 's' },
  ...{ served_at: new Date(NOW - 2 * HOUR).toISOString(), until: new Date(NOW + 1).toISOString() },
}

test('it begins beside the version that serves most, once its job has told one of its own', () => {
  expect(nextMove(facts({}))).toMatchObject({ kind: 'step', place: 0, currentVersion: '7' })
  expect(nextMove(facts({}, { version: '' }))).toMatchObject({
    kind: 'stay',
    rollout: { reason: 'its job has told no new version' },
  })
  expect(nextMove(facts({}, { version: '', now: NOW + 24 * HOUR }))).toMatchObject({
    kind: 'hold',
    severity: 'warning',
  })
  expect(nextMove(facts({}, { served: new Map([['8', 5]]) }))).toMatchObject({ kind: 'stay' })
})

test('a step is late from its launch on, and one that was not made is held', () => {
  const moving = { state: 'moving', place: 0, share: 1, step_run: 's', until: null } as const
  const launch = (state: string, launchedAt?: number) => ({
    state,
    message: 'no quota',
    launchedAt,
  })
  const at = (state: string, now: number, launchedAt?: number, own = terms) =>
    nextMove(facts(moving, { launch: launch(state, launchedAt), now, terms: own }))
  expect(at('queued', NOW + 90 * 24 * HOUR)).toMatchObject({ kind: 'stay' })
  expect(at('launching', NOW, NOW)).toMatchObject({
    rollout: { until: new Date(NOW + 24 * HOUR).toISOString() },
  })
  expect(at('running', NOW + 24 * HOUR, NOW)).toMatchObject({ kind: 'hold', severity: 'alarm' })
  expect(at('running', NOW + 24 * HOUR, NOW, { ...terms, when_late: 'roll_back' })).toMatchObject({
    kind: 'roll_back',
  })
  expect(at('failed', NOW, NOW)).toMatchObject({
    kind: 'hold',
    reason: 'the step to 1 % was not made: no quota',
  })
  expect(at('succeeded', NOW, NOW)).toMatchObject({ rollout: { state: 'watching' } })
  const last = facts({ ...moving, place: 3, share: 100 }, { launch: launch('succeeded', NOW) })
  expect(nextMove(last)).toMatchObject({ kind: 'promote' })
})

test('it goes on with enough units, truths and time, and is late without', () => {
  const move = (more: Partial<RolloutFacts>) => nextMove(facts(watching, more))
  expect(move({ verdict: verdict() })).toMatchObject({ kind: 'step', place: 2 })
  const lacking = [
    [{ n_candidate: 99 }, '99 of 100 units of each version'],
    [{ labelled_candidate: 49 }, '49 of 50 units of each version with their truth'],
  ] as const
  for (const [few, reason] of lacking) {
    const known = verdict(few)
    expect(move({ verdict: known })).toMatchObject({ kind: 'stay', rollout: { reason } })
    const late = { verdict: known, now: NOW + 1 }
    expect(move(late)).toMatchObject({ kind: 'hold', severity: 'warning' })
    expect(move({ ...late, terms: { ...terms, when_late: 'go_on' } })).toMatchObject({
      kind: 'step',
    })
    expect(move({ ...late, terms: { ...terms, when_late: 'roll_back' } })).toMatchObject({
      kind: 'roll_back',
    })
  }
  const young = { ...watching, served_at: new Date(NOW).toISOString() }
  expect(nextMove(facts(young, { verdict: verdict() }))).toMatchObject({ kind: 'stay' })
})

const worse = verdict({
  decision: 'worse',
  metrics: [
    {
      ...{ metric: 'accuracy', current: 0.8, candidate: 0.71, difference: -0.09 },
      ...{ ci_low: -0.12, ci_high: -0.05, decision: 'worse' },
    },
  ],
})

test('what is worse is rolled back, proposed or paged, and proposed once', () => {
  const by = (on_worse: StepTerms['on_worse'], rollout: Partial<Rollout> = watching) =>
    nextMove(facts(rollout, { verdict: worse, terms: { ...terms, on_worse } }))
  expect(by('roll_back')).toEqual({
    kind: 'roll_back',
    reason:
      'at 5 % version 8 is worse than 7: accuracy 0.71 beside 0.8 (difference from -0.12 to -0.05)',
  })
  expect(by('propose')).toMatchObject({ severity: 'warning', proposes: 'roll_back' })
  expect(by('page')).toMatchObject({ severity: 'alarm', proposes: 'roll_back' })
  // What a person holds is taken back too; what is proposed already is not proposed again.
  expect(by('roll_back', { ...watching, state: 'held' })).toMatchObject({ kind: 'roll_back' })
  expect(by('page', { ...watching, state: 'held', proposes: 'roll_back' })).toMatchObject({
    kind: 'stay',
  })
})

test('versions that serve no longer, and traffic that was not drawn so, are held', () => {
  const served = (...all: [string, number][]) => facts(watching, { served: new Map(all) })
  expect(nextMove(served(['9', 100], ['8', 5]))).toMatchObject({
    reason: 'version 7, which it is held against, serves no longer, and 9 does',
  })
  expect(nextMove(served(['7', 1000]))).toMatchObject({ kind: 'hold' })
  expect(nextMove(served(['7', 100]))).toMatchObject({ kind: 'stay' })
  const invalid = verdict({ decision: 'invalid', reason: 'half went to it' })
  expect(nextMove(facts(watching, { verdict: invalid }))).toMatchObject({
    kind: 'hold',
    reason: 'half went to it',
  })
})

test('a launch that gives the traffic back ends the run, and one that fails tells people', () => {
  const back: Partial<Rollout> = { ...watching, state: 'going_back', reason: 'worse' }
  const launch = (state: string) => ({ state, message: 'no quota', launchedAt: NOW })
  const by = (state: string) => nextMove(facts(back, { launch: launch(state) }))
  expect(by('succeeded')).toEqual({ kind: 'rolled_back', reason: 'worse' })
  expect(by('failed')).toMatchObject({ kind: 'hold', severity: 'alarm', proposes: 'roll_back' })
  expect(by('running')).toMatchObject({ kind: 'stay' })
})

test('a person lets it go on: to the next share, or to the same where that was not made', () => {
  const held = (more: Partial<Rollout>) => goOn(facts({ ...watching, state: 'held', ...more }))
  expect(held({})).toMatchObject({ kind: 'step', place: 2 })
  expect(held({ served_at: null })).toMatchObject({ kind: 'step', place: 1 })
  expect(held({ place: 3, share: 100 })).toMatchObject({ kind: 'promote' })
  expect(goOn(facts({ ...watching, state: 'moving' }))).toBe('the step is being made')
  expect(goOn(facts({}, { version: '' }))).toBe('its job has told no new version')
  expect(goOn(facts({}))).toMatchObject({ kind: 'step', place: 0, currentVersion: '7' })
})
