/** Standing alarms reach a real Alertmanager, and end there when they have gone. */
import { readFileSync, writeFileSync } from 'node:fs'
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ended } from '../../../deploy/local/child-process.ts'
import { freePort } from '../../../deploy/local/kafka.ts'
import type { ActiveAlarm } from '../../../schemas/active-alarms.ts'
import { parseModel } from '../../../lib/models/model-files.ts'
import { pageOfAlarm, reportOfAlarm } from '../../../services/alerts/decide/addresses.ts'
import { alertSender, sendAlerts } from '../../../services/alerts/loop/send-alerts.ts'
import { temporaryDirectory } from '../../harness.ts'
import { until } from '../../servers/processes.ts'

const directory = temporaryDirectory()
let alertmanager: ChildProcess
let url: string
beforeAll(async () => {
  if (spawnSync('prometheus-alertmanager', ['--version']).status !== 0)
    throw new Error(
      'Alertmanager is not installed (Debian: apt-get install prometheus-alertmanager)',
    )
  const port = await freePort()
  url = `http://127.0.0.1:${port}`
  // The one that compose.yaml starts.
  writeFileSync(join(directory, 'config.yml'), readFileSync('deploy/compose/alertmanager.yml'))
  alertmanager = spawn(
    'prometheus-alertmanager',
    [
      `--config.file=${directory}/config.yml`,
      `--storage.path=${directory}/data`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--cluster.listen-address=',
    ],
    { stdio: 'ignore' },
  )
  await until('Alertmanager is ready', () =>
    fetch(`${url}/-/ready`).then(
      (r) => r.ok,
      () => false,
    ),
  )
})
// It writes its state as it ends: the directory goes after it.
afterAll(() => ended(alertmanager))

test('an alarm is told under labels that stay, when it becomes more or less severe, and its end', async () => {
  const alarm: ActiveAlarm = {
    model_id: 'm',
    model_version: '',
    variant: '',
    slice_key: '',
    slice_value: '',
    baseline_value: null,
    since: '2025-12-31T20:00:00.000Z',
    verdict_id: 'v',
    snoozed_until: null,
    is_snoozed: false,
    family: 'drift',
    metric: 'psi',
    subject: 'x',
    severity: 'alarm',
    reason: 'moved',
    reference: 'baseline',
    value: 0.51234,
    threshold: 0.25,
    episode_id: 'm/2025-12-31T20:00:00.000Z',
    window_start: '2026-01-01T00:00:00Z',
    window_end: '2026-01-01T01:00:00Z',
  }
  const { ownership } = parseModel(
    'model_id: m\ntask: binary\nowner: ann@example.com\nteam: risk\nalert_labels: { tier: gold }\nrunbook_url: https://wiki.example.com/m\n',
  )
  const sender = alertSender({
    url,
    texts: {
      ownershipOf: () => ownership,
      pageOf: (of) => pageOfAlarm('https://plumbline.example.com', of),
      reportOf: (of) => reportOfAlarm('https://plumbline.example.com', of),
    },
    log: pino({ level: 'silent' }),
    now: Date.now,
  })
  /** What fires, and of it what nothing inhibits: people are told of that. */
  const active = async (query = '') =>
    (await (await fetch(`${url}/api/v2/alerts?active=true&${query}`)).json()) as {
      labels: Record<string, string>
      annotations: Record<string, string>
      startsAt: string
      generatorURL: string
      fingerprint: string
    }[]
  const severities = async (query = '') =>
    (await active(query)).map(({ labels }) => labels['severity'])
  const told = 'inhibited=false'
  await sendAlerts(sender, [{ ...alarm, severity: 'warning', value: 0.2 }])
  await until('it is a warning', async () => (await active()).length === 1)
  const [warning] = await active()
  await sendAlerts(sender, [alarm])
  await until('it is an alarm', async () => (await active()).length === 2)
  // The warning is the same one still, and people are told of the alarm alone.
  const still = (await active()).find(({ labels }) => labels['severity'] === 'warning')!
  expect([still.fingerprint, still.startsAt]).toEqual([warning!.fingerprint, warning!.startsAt])
  await until('the warning is inhibited', async () => (await severities(told)).length === 1)
  expect((await active(told))[0]).toMatchObject({
    labels: {
      alertname: 'PlumblineVerdict',
      model_id: 'm',
      severity: 'critical',
      owner: 'ann@example.com',
      team: 'risk',
      tier: 'gold',
    },
    annotations: {
      summary:
        'm: drift psi of x is 0.5123, its line is 0.25, since 2025-12-31T20:00:00.000Z; ann@example.com answers for it',
      runbook_url: 'https://wiki.example.com/m',
      page: 'https://plumbline.example.com/models/m/episodes/2025-12-31T20%3A00%3A00.000Z',
      report: 'https://plumbline.example.com/v1/models/m/report?to=2026-01-01T01%3A00%3A00Z',
    },
    startsAt: '2025-12-31T20:00:00.000Z',
    generatorURL: 'https://plumbline.example.com/models/m/episodes/2025-12-31T20%3A00%3A00.000Z',
  })
  const later = { ...alarm, window_end: '2026-01-01T02:00:00Z', severity: 'warning' as const }
  await sendAlerts(sender, [later])
  await until('it is a warning again', async () => (await active()).length === 1)
  expect((await active(told)).map(({ fingerprint }) => fingerprint)).toEqual([warning!.fingerprint])
  await sendAlerts(sender, [])
  await until('it has ended', async () => (await active()).length === 0)
})
