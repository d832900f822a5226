import { expect, test } from 'vitest'
import type { ActiveAlarm } from '../../../schemas/active-alarms.ts'
import type { AlertsFile } from '../../../schemas/alerts-file.ts'
import { lastDigestTime } from './digests.ts'
import { incidentOfRun, incidentsOfAlarms, isSame, ownersOf } from './incidents.ts'
import { digestMessage, incidentMessage } from './messages.ts'
import { dueOf, endsOf, type Told } from './plan.ts'
import { targetsOf, type Routed } from './routes.ts'

const BASE = 'https://plumbline.example'
const EPISODE = 'fraud/2026-01-01T00:00:00.000Z'
const alarm = (more: Partial<ActiveAlarm> = {}): ActiveAlarm => ({
  ...{ model_id: 'fraud', model_version: '', variant: '', slice_key: '', slice_value: '' },
  ...{ family: 'performance', metric: 'accuracy', subject: '', reference: 'baseline' },
  ...{ severity: 'alarm', value: 0.8, baseline_value: 0.9, threshold: 0.85, reason: 'down' },
  ...{ window_start: '2026-01-01T00:00:00.000Z', window_end: '2026-01-02T00:00:00.000Z' },
  ...{ since: '2026-01-01T00:00:00.000Z', verdict_id: 'v', episode_id: EPISODE },
  ...{ snoozed_until: null, is_snoozed: false },
  ...more,
})
const drift = (subject: string, more: Partial<ActiveAlarm> = {}) =>
  alarm({ family: 'drift', metric: 'psi', subject, value: 0.5, baseline_value: null, ...more })

test('one incident for one episode, in the words of the headline, with its list', () => {
  const alarms = [
    drift('amount'),
    alarm(),
    drift('amount', { slice_key: 'region', slice_value: 'north', value: 0.9 }),
    alarm({ model_id: 'other', episode_id: 'other/2026-01-01T00:00:00.000Z' }),
  ]
  const [first, second, ...rest] = incidentsOfAlarms(alarms, BASE)
  expect(rest).toEqual([])
  expect(first).toMatchObject({
    incident_id: `alarm/${EPISODE}`,
    headline:
      'accuracy is down from 0.9 to 0.8; amount has drifted in region=north (PSI 0.5), since 1 January 2026',
    count: 3,
    page: `${BASE}/models/fraud/episodes/2026-01-01T00%3A00%3A00.000Z`,
  })
  expect(second!.model_id).toBe('other')
})

test('severity, value and window change no identity; only what is on the list is news', () => {
  const [before] = incidentsOfAlarms([alarm({ severity: 'warning' })], BASE)
  const [later] = incidentsOfAlarms(
    [alarm({ severity: 'warning', value: 0.7, window_end: '2026-01-09T00:00:00.000Z' })],
    BASE,
  )
  const [graver] = incidentsOfAlarms([alarm()], BASE)
  const [wider] = incidentsOfAlarms([alarm(), drift('amount')], BASE)
  const all = [before!, later!, graver!, wider!]
  expect(new Set(all.map(({ incident_id: id }) => id)).size).toBe(1)
  expect([later!.hash, graver!.hash, wider!.hash].map((hash) => hash === before!.hash)).toEqual([
    ...[true, false, false],
  ])
  expect(isSame(before!, later!)).toBe(false)
  expect(isSame(before!, structuredClone(before!))).toBe(true)
})

test('alarms of slices, versions and no episode are told too; events that ended are a silence', () => {
  const [ofSlice] = incidentsOfAlarms([alarm({ slice_key: 'sex', slice_value: '2' })], BASE)
  expect(ofSlice!.headline).toContain('in sex=2')
  const [ofVersion] = incidentsOfAlarms([alarm({ model_version: '7' })], BASE)
  expect(ofVersion!.items[0]!.text).toContain('(version 7)')
  const alone = incidentsOfAlarms(
    [alarm({ episode_id: '' }), drift('größe', { episode_id: '' })],
    BASE,
  )
  expect(alone).toHaveLength(2)
  for (const { incident_id: id } of alone) expect(id).toMatch(/^[\x21-\x7e]{1,200}$/)
  const silent = { family: 'operations', metric: 'throughput_per_s', value: 0, reason: 'no event' }
  expect(incidentsOfAlarms([alarm(silent), alarm()], BASE)[0]!.kind).toBe('silence')
})

test('hostile names are one line of letters, none of them hidden', () => {
  const name = `<!channel>\u202e\u0000\n\r${'m'.repeat(200)}`
  const [incident] = incidentsOfAlarms([drift(name, { model_id: name, episode_id: '' })], BASE)
  const { title, text } = incidentMessage(incident!, 'open', {
    owners: ownersOf({ labels: { owner: name }, runbookUrl: undefined }),
    at: '2026-01-02T00:00:00.000Z',
    templates: [undefined],
  })
  expect(title).not.toMatch(/[^\P{C}]/u)
  expect(text.replaceAll('\n', '')).not.toMatch(/[^\P{C}]/u)
  expect(incident!.incident_id).toMatch(/^[0-9a-f]{64}$/)
})

test('templates: the receiver’s, the file’s, ours; a value that looks like a place stays one', () => {
  const [incident] = incidentsOfAlarms([drift('{{page}}')], BASE)
  const owners = ownersOf({
    labels: { owner: 'ann', team: 'risk' },
    runbookUrl: 'https://wiki.example',
  })
  const made = (...templates: Parameters<typeof incidentMessage>[2]['templates']) =>
    incidentMessage(incident!, 'resolve', { owners, at: '2026-01-02T00:00:00.000Z', templates })
  expect(made(undefined, undefined)).toMatchObject({
    title: expect.stringMatching(/^resolved: fraud: \{\{page\}\} has drifted/),
    text: expect.stringContaining('Whose: ann, team risk.'),
  })
  const file = { title: 'file {{model}}', text: '{{count}} of {{team}}' }
  expect(made({ title: 'own {{status}} {{ severity }}' }, file)).toMatchObject({
    ...{ title: 'own resolved alarm', text: '1 of risk' },
  })
})

const FILE: AlertsFile = {
  receivers: [],
  routes: [
    { match: { severity: ['alarm'], team: ['risk'] }, receivers: ['page'], continue: true },
    {
      match: { model: ['fr*d'], kind: ['alarm'] },
      receivers: ['chat', 'page'],
      update_every: '5m',
    },
    { match: { model: ['fraud'] }, receivers: ['never'] },
  ],
  default: { receivers: ['mail'] },
}
const routed: Routed = {
  ...{ model_id: 'fraud', severity: 'alarm', kind: 'alarm' },
  ...{ owner: '', team: 'risk', environment: '' },
}

test('the first route that fits is taken, those after it by continue, the default by none', () => {
  expect(targetsOf(FILE, routed)).toEqual([
    { receiver: 'page', updateEveryMs: 1_800_000 },
    { receiver: 'chat', updateEveryMs: 300_000 },
  ])
  const names = (of: Partial<Routed>) =>
    targetsOf(FILE, { ...routed, ...of }).map(({ receiver }) => receiver)
  expect(names({ team: '' })).toEqual(['chat', 'page'])
  expect(names({ model_id: 'other', team: '' })).toEqual(['mail'])
  expect(targetsOf({ receivers: [], routes: [] }, routed)).toEqual([])
})

const NOW = 10_000_000
const target = { receiver: 'chat', updateEveryMs: 60_000 }
const told = (more: Partial<Told> = {}): Told => ({
  ...{ receiver: 'chat', event: 'open', state: 'delivered', hash: 'a', severity: 'alarm' },
  ...{ at: NOW - 60_000, isTold: true },
  ...more,
})
test.each<[string, Told[], string | undefined]>([
  ['nothing yet', [], 'open'],
  ['the same', [told()], undefined],
  ['another list', [told({ hash: 'b' })], 'update'],
  ['another list, told just now', [told({ hash: 'b', at: NOW - 59_999 })], undefined],
  ['a warning, told just now', [told({ hash: 'b', at: NOW - 1, severity: 'warning' })], 'update'],
  ['what still waits', [told({ hash: 'b', state: 'waiting' })], undefined],
  ['a beginning that was refused', [told({ state: 'failed', isTold: false })], undefined],
  [
    'one that was refused, of another list',
    [told({ ...{ hash: 'b' }, state: 'failed', isTold: false })],
    'open',
  ],
  ['its end', [told({ event: 'resolve', isTold: false })], 'open'],
  ['its end, just now', [told({ event: 'resolve', isTold: false, at: NOW - 1 })], undefined],
])('told %s', (_, before, event) => {
  const due = dueOf({ hash: 'a', severity: 'alarm' }, [target], before, NOW)
  expect(due).toEqual(event === undefined ? [] : [{ receiver: 'chat', event }])
})

test('an end is told to whoever knows of the incident, once', () => {
  expect(
    endsOf([
      told(),
      told({ receiver: 'ended', event: 'resolve', isTold: false }),
      told({ receiver: 'refused', state: 'failed', isTold: false }),
      told({ receiver: 'behind', event: 'update', state: 'failed' }),
    ]),
  ).toEqual([
    { receiver: 'chat', event: 'resolve' },
    { receiver: 'behind', event: 'resolve' },
  ])
})

test('digests come at a time of a zone, through changes of clocks', () => {
  const at = (text: string) => Date.parse(text)
  const berlin = { at: '08:00', timezone: 'Europe/Berlin' }
  expect(lastDigestTime(berlin, at('2026-03-29T06:30:00Z'))).toEqual({
    at: at('2026-03-29T06:00:00Z'),
    from: at('2026-03-28T07:00:00Z'),
  })
  expect(lastDigestTime({ ...berlin, days: ['mon'] }, at('2026-03-30T05:59:00Z'))).toEqual({
    at: at('2026-03-23T07:00:00Z'),
    from: at('2026-03-16T07:00:00Z'),
  })
})

test('a digest counts what is open, began and ended', () => {
  const [incident] = incidentsOfAlarms([alarm()], BASE)
  const span = { name: 'weekly', from: '2026-01-01T00:00:00.000Z', at: '2026-01-08T00:00:00.000Z' }
  const made = digestMessage(
    'digest/weekly',
    [
      { incident: incident!, opened_at: '2025-12-01T00:00:00.000Z', resolved_at: null },
      { incident: incident!, opened_at: span.from, resolved_at: '2026-01-02T00:00:00.000Z' },
    ],
    { ...span, page: BASE },
  )
  expect(made.title).toMatch(/^weekly: 1 open, 1 began, 1 ended, 1 January 2026 00:00 UTC to 8/)
  expect(made.text.split('\n')).toHaveLength(2)
  expect(digestMessage('d', [], { ...span, page: BASE }).text).toBe('Nothing was wrong.')
})

test('runs that fail one after another are one incident of their policy, an approval is its run’s', () => {
  const run = (run_id: string, kind: 'run_failed' | 'approval' | 'canary') =>
    incidentOfRun(
      {
        run_id,
        model_id: 'fraud',
        policy: 'worse',
        kind,
        severity: kind === 'run_failed' ? 'alarm' : 'warning',
        message: 'no disk',
        at: '2026-01-01T00:00:00.000Z',
        approval_expires_at: null,
      },
      BASE,
    )
  expect(run('a', 'run_failed').incident_id).toBe(run('b', 'run_failed').incident_id)
  expect(run('a', 'run_failed').hash).not.toBe(run('b', 'run_failed').hash)
  expect(run('a', 'approval').incident_id).not.toBe(run('b', 'approval').incident_id)
  expect(run('a', 'canary').incident_id).not.toBe(run('b', 'canary').incident_id)
  expect(run('a', 'canary').severity).toBe('warning')
  expect(run('a', 'run_failed').headline).toBe('retraining failed (policy worse): no disk')
})
