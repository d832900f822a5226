import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { expect, test } from 'vitest'
import { ConfigError } from '../../../lib/runtime/config.ts'
import { liveAlerts, readAlertsFile } from './alerts-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'alerts-'))
const path = join(folder, 'alerts.yaml')
const SECRETS: Record<string, string> = {
  HOOK: 'https://hooks.slack.com/services/T/B/X',
  KEY: 'k',
  EMPTY: ' ',
}

/** The problems of a file, without its path. */
function problemsOf(text: string, hasLinks = true): string[] {
  writeFileSync(path, text)
  try {
    readAlertsFile(path, (name) => SECRETS[name], hasLinks)
    return []
  } catch (error) {
    return (error as ConfigError).problems.map((problem) => problem.replace(`${path}: `, ''))
  }
}

const GOOD = `
receivers:
  - { name: chat, kind: slack, url: 'secret://env/HOOK' }
  - name: mail
    kind: email
    host: smtp.example.com
    user: plumbline
    password: secret://env/KEY
    from: plumbline@example.com
    to: [ann@example.com]
routes:
  - match: { team: [risk], severity: [alarm], model: ['fraud-*'] }
    receivers: [chat]
    continue: true
default: { receivers: [mail] }
digests:
  - { name: weekly, receivers: [mail], at: '08:00', days: [mon], timezone: Europe/Berlin }
templates: { title: '{{severity}} of {{ model }}: {{headline}}' }
`

test('a good file has no problem', () => expect(problemsOf(GOOD)).toEqual([]))

const slack = (more: string, rest = '') =>
  `receivers: [{ name: chat, kind: slack, url: 'secret://env/HOOK'${more} }]\ndefault: { receivers: [chat] }\n${rest}`
const of = (receiver: string, rest = '') =>
  `receivers: [{ name: a, ${receiver} }]\ndefault: { receivers: [a] }\n${rest}`

const WRONG: readonly [text: string, problem: string][] = [
  ['receivers: [', 'is no YAML: '],
  ['', 'the file must be object'],
  ['receivers: []\n', 'receivers must NOT have fewer than 1 items'],
  [slack('', 'recievers: []\n'), 'recievers is no setting; did you mean receivers?'],
  [of('kind: slak'), 'receivers.0.kind slak is none of slack, pagerduty'],
  [of('kind: slak'), 'did you mean slack?'],
  [slack(', timout: 3s'), 'receivers.0.timout is no setting; did you mean timeout?'],
  [of('kind: pagerduty'), 'receivers.0.routing_key is required'],
  [
    of("kind: slack, url: 'https://hooks.slack.com/services/T/B/X'"),
    'receivers.0.url must be a reference to a secret, written secret://env/NAME',
  ],
  [slack(", templates: { title: '{{modle}}' }"), 'names {{modle}}; did you mean model?'],
  [slack(", templates: { text: '{{model} }' }"), 'templates.text has braces that belong to no'],
  [slack('', "templates: { text: 'secret://env/KEY' }"), 'templates.text may hold no secret'],
  [of("kind: slack, url: 'secret://env/NONE'"), 'secret://env/NONE is not set'],
  [of("kind: slack, url: 'secret://env/EMPTY'"), 'secret://env/EMPTY is not set'],
  [of("kind: slack, url: 'secret://env/KEY'"), 'secret://env/KEY holds no address'],
  [of("kind: slack, url: 'secret://file/x'"), 'must be written secret://env/NAME'],
  [
    of("kind: opsgenie, api_key: 'secret://env/PLUMBLINE_WEBHOOK_SECRET'"),
    'is a setting of this service, and is not sent out',
  ],
  [of("kind: webhook, url: 'http://a:b@x/'"), 'receivers.0.url may hold no user or password'],
  [
    of("kind: webhook, url: 'http://x/', key: 'secret://env/KEY'"),
    'must hold whsec_ and 24 to 64 random bytes',
  ],
  [
    of("kind: webhook, url: 'http://x/', headers: { host: y }"),
    'receivers.0.headers.host is set by Plumbline itself',
  ],
  [slack(', timeout: 1h'), 'receivers.0.timeout 1h is not from 1s to 5m'],
  [slack(', give_up_after: soon'), 'give_up_after must be a duration such as 30s or 6h'],
  [
    of(
      "kind: email, host: x, from: a@b, to: [c@d], user: u, password: 'secret://env/KEY', security: none",
    ),
    'security none would send the password in the clear',
  ],
  [of('kind: email, host: x, from: a@b, to: [c@d], user: u'), 'must have both user and password'],
  [
    of("kind: email, host: x, from: a@b, to: ['c@d\\nBcc: e@f']"),
    'receivers.0.to.0 must be an address such as ann@example.com',
  ],
  [slack(', tls: { cert_file: a }'), 'must have both cert_file and key_file, or neither'],
  [slack(', tls: { ca_file: /nowhere }'), 'receivers.0.tls.ca_file: /nowhere is no file'],
  [slack(`, tls: { ca_file: '${path}' }`), 'is no PEM'],
  [
    slack('', 'routes: [{ match: {}, receivers: [chatt] }]\n'),
    'routes.0.receivers names chatt, which is no receiver; did you mean chat?',
  ],
  [
    slack('', 'routes: [{ match: {}, receivers: [chat] }]\n'),
    'default is never reached: routes.0 takes every alert',
  ],
  [
    slack('', 'routes: [{ match: { severity: [alarms] }, receivers: [chat] }]\n'),
    'must be equal to one of the allowed values: warning, alarm; did you mean alarm?',
  ],
  [
    slack('', "routes: [{ match: { model: ['*a*b*c*d*'] }, receivers: [chat] }]\n"),
    'routes.0.match.model: *a*b*c*d* has more than 4 *',
  ],
  [GOOD.replace('receivers: [chat]', 'receivers: [mail]'), 'the receiver chat is told nothing'],
  [
    slack('', "digests: [{ name: d, receivers: [chat], at: '8:00' }]\n"),
    'digests.0.at must be a time of the day such as 08:30',
  ],
  [
    slack('', "digests: [{ name: d, receivers: [chat], at: '08:00', timezone: Berlin }]\n"),
    'digests.0.timezone Berlin is not an IANA time zone',
  ],
  [
    of(
      "kind: pagerduty, routing_key: 'secret://env/KEY'",
      "digests: [{ name: d, receivers: [a], at: '08:00' }]\n",
    ),
    'digests go to slack, email and webhook, not to pagerduty',
  ],
]
test.each(WRONG.map(([text, problem]) => [problem, text]))('%s', (problem, text) =>
  expect(problemsOf(text!).join('\n')).toContain(problem),
)

test('every problem is told at once, and none holds a secret', () => {
  const problems = problemsOf(
    GOOD.replace('receivers: [mail]', 'receivers: [mails]').replace('{{ model }}', '{{mdoel}}'),
  )
  expect(problems).toEqual([
    'default.receivers names mails, which is no receiver; did you mean mail?',
    expect.stringMatching(/^templates\.title names \{\{mdoel\}\}; did you mean model\?/),
  ])
  expect(problems.join()).not.toContain('hooks.slack.com')
})

test('a changed file is taken once it is good; until then the one before stays', () => {
  writeFileSync(path, GOOD)
  const registry = new Registry()
  const live = liveAlerts({
    ...{ path, secretOf: (name: string) => SECRETS[name], everyMs: 0, registry },
    ...{ log: pino({ level: 'silent' }), now: () => 1000 },
  })
  let changes = 0
  live.onChange(() => changes++)
  live.reload()
  expect([changes, live.watching]).toEqual([0, undefined])
  writeFileSync(path, GOOD.replace('name: weekly', 'name: week ly'))
  live.reload()
  expect(live.inForce().refused!.problems).toEqual([
    `${path}: digests.0.name must be the name of a digest: letters, digits, _ . and -`,
  ])
  expect(live.inForce().file.digests![0]!.name).toBe('weekly')
  writeFileSync(path, GOOD.replace('name: weekly', 'name: monday'))
  live.reload()
  expect(live.inForce()).toMatchObject({ refused: undefined, loadedAt: 1000 })
  expect([changes, live.inForce().file.digests![0]!.name]).toEqual([1, 'monday'])
})

const approver = (receivers: string, more: string) =>
  `receivers: [{ name: chat, kind: slack, url: 'secret://env/HOOK' }, { name: pager, kind: pagerduty, routing_key: 'secret://env/KEY' }, { name: mail, kind: email, host: h, from: a@b, to: [a@b, c@d] }]
routes: [{ match: { kind: [approval] }, receivers: ${receivers}, approver: ${more} }]
default: { receivers: [chat, pager, mail] }
`

test('a link goes to one person, by what that person alone reads', () => {
  expect(problemsOf(approver('[chat]', 'ann'))).toEqual([])
  expect(problemsOf(approver('[chat]', 'ann'), false)).toEqual([
    'routes.0.approver ann would be sent links: set PLUMBLINE_APPROVAL_LINK_KEYS_FILE, whose keys sign them',
  ])
  expect(problemsOf(approver('[chat, pager]', 'ann'))).toEqual([
    'routes.0.approver ann is one person: name one receiver, which they alone read',
  ])
  expect(problemsOf(approver('[pager]', 'ann'))).toEqual([
    'routes.0.approver ann is told by pager, of kind pagerduty: links go by email, slack and webhook',
  ])
  expect(problemsOf(approver('[mail]', 'ann'))).toEqual([
    'routes.0.approver ann is told by mail, which writes to 2 addresses: name one',
  ])
  expect(problemsOf(approver('[chat]', "'claimed:ann'"))).toEqual([
    'routes.0.approver claimed:ann must be the name of a person, as keys and tokens give it',
  ])
})
