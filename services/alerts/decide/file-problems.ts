/** What is wrong with a file of alerts, each in one sentence. */
import type { ErrorObject } from 'ajv'
import { headerProblems } from '../../../lib/models/launch-templates.ts'
import { schemaProblems } from '../../../lib/models/schema-problems.ts'
import {
  referencesIn,
  secretProblems,
  secretValue,
  type SecretOf,
} from '../../../lib/models/secret-references.ts'
import { isTimezone } from '../../../lib/models/windows.ts'
import { durationMs } from '../../../lib/runtime/durations.ts'
import { canonicalName, CLAIMED } from '../../../lib/runtime/person-names.ts'
import { didYouMean } from '../../../lib/runtime/nearest-name.ts'
import { globProblem } from '../../../lib/sources/globs.ts'
import { AlertsFile, type Match, type Receiver, type Route } from '../../../schemas/alerts-file.ts'
import { templateProblems } from './templates.ts'
import { compiledSchema } from '../../../lib/runtime/compiled-schema.ts'

const validator = compiledSchema<AlertsFile>(AlertsFile)

/** Whether a file has the shape of one of alerts; its problems are those of {@link shapeProblems}. */
export const hasShape = (file: unknown): file is AlertsFile => validator()(file)

/** Every problem of the shape of a file. */
export function shapeProblems(file: unknown): string[] {
  const validate = validator()
  return validate(file) ? [] : schemaProblems((validate.errors ?? []).map(inWords))
}

/** A pattern says nothing to whoever writes the file: what it asks for is its description. */
function inWords(error: ErrorObject): ErrorObject {
  const description = error.parentSchema?.['description'] as string | undefined
  return error.keyword === 'pattern' && description
    ? { ...error, message: `must be ${description}` }
    : error
}

/**
 * Every problem that the shape of a file does not say.
 *
 * @param hasLinks whether there are keys for links by which approvers answer
 */
export function crossProblems(file: AlertsFile, secretOf: SecretOf, hasLinks: boolean): string[] {
  const names = file.receivers.map(({ name }) => name)
  const used = namedReceivers(file)
  return [
    ...file.receivers.flatMap((receiver, i) => receiverProblems(receiver, i, secretOf)),
    ...twice(names).map((name) => `two receivers are called ${name}`),
    ...used.flatMap(({ key, name }) =>
      names.includes(name)
        ? []
        : [`${key} names ${name}, which is no receiver${near(name, names)}`],
    ),
    ...names
      .filter((name) => !used.some((one) => one.name === name))
      .map((name) => `the receiver ${name} is told nothing: no route, digest or default names it`),
    ...routeProblems(file),
    ...approverProblems(file, hasLinks),
    ...digestProblems(file),
    ...pagedDigests(file),
    ...templateProblems(file.templates, 'templates'),
  ]
}

const near = (name: string, names: readonly string[]) =>
  didYouMean(name, names) || `: there are ${names.join(', ')}`

const twice = (names: readonly string[]): string[] => [
  ...new Set(names.filter((name, i) => names.indexOf(name) !== i)),
]

function namedReceivers({ routes = [], digests = [], ...file }: AlertsFile) {
  const named = (key: string, { receivers }: { receivers: readonly string[] }) =>
    receivers.map((name) => ({ key: `${key}.receivers`, name }))
  return [
    ...routes.flatMap((route, i) => named(`routes.${i}`, route)),
    ...(file.default ? named('default', file.default) : []),
    ...digests.flatMap((digest, i) => named(`digests.${i}`, digest)),
  ]
}

function receiverProblems(receiver: Receiver, i: number, secretOf: SecretOf): string[] {
  const key = `receivers.${i}`
  const { timeout, give_up_after: giveUpAfter, templates, tls } = receiver
  return [
    ...within(`${key}.timeout`, timeout, ['1s', '5m']),
    ...within(`${key}.give_up_after`, giveUpAfter, ['1m', '7d']),
    ...secretsOf(receiver).flatMap(([field, text]) =>
      secretTextProblems(field, text, secretOf).map((problem) => `${key}.${field} ${problem}`),
    ),
    ...urlProblems(receiver).map((problem) => `${key}.url ${problem}`),
    ...templateProblems(templates, `${key}.templates`),
    ...((tls?.cert_file === undefined) === (tls?.key_file === undefined)
      ? []
      : [`${key}.tls must have both cert_file and key_file, or neither`]),
    ...(receiver.kind === 'email' ? emailProblems(receiver, key) : []),
    ...(receiver.kind === 'webhook'
      ? headerProblems(receiver.headers ?? {}).map((problem) => `${key}.${problem}`)
      : []),
  ]
}

/** The texts of a receiver that may refer to secrets, by their key. */
export function secretsOf(receiver: Receiver): [field: string, text: string][] {
  switch (receiver.kind) {
    case 'slack':
      return [['url', receiver.url]]
    case 'pagerduty':
      return [['routing_key', receiver.routing_key]]
    case 'opsgenie':
      return [['api_key', receiver.api_key]]
    case 'email':
      return receiver.password === undefined ? [] : [['password', receiver.password]]
    case 'grafana':
      return [['token', receiver.token]]
    case 'webhook':
      return [
        ['url', receiver.url],
        ...(receiver.key === undefined ? [] : [['key', receiver.key] as [string, string]]),
        ...Object.entries(receiver.headers ?? {}).map(([name, text]): [string, string] => [
          `headers.${name}`,
          text,
        ]),
      ]
  }
}

const SIGNING_KEY = /^whsec_[A-Za-z0-9+/=]{32,}$/

function secretTextProblems(field: string, text: string, secretOf: SecretOf): string[] {
  const problems = secretProblems(text)
  if (problems.length > 0) return problems
  return referencesIn(text).flatMap((whole) => {
    try {
      const value = secretValue(whole, secretOf)
      if (field === 'url' && !/^https?:\/\//.test(value)) return [`${whole} holds no address`]
      return field === 'key' && !SIGNING_KEY.test(value)
        ? [`${whole} must hold whsec_ and 24 to 64 random bytes in base64`]
        : []
    } catch (error) {
      return [`cannot be used: ${(error as Error).message}`]
    }
  })
}

function urlProblems(receiver: Receiver): string[] {
  const url = 'url' in receiver ? receiver.url : undefined
  if (url === undefined || url.startsWith('secret://')) return []
  if (!URL.canParse(url)) return ['is no address']
  const { username, password } = new URL(url)
  return username === '' && password === ''
    ? []
    : ['may hold no user or password: it is logged; use a reference to a secret']
}

function emailProblems(receiver: Extract<Receiver, { kind: 'email' }>, key: string): string[] {
  const { user, password, security } = receiver
  if ((user === undefined) !== (password === undefined))
    return [`${key} must have both user and password, or neither`]
  return password !== undefined && security === 'none'
    ? [`${key}.security none would send the password in the clear: use starttls or tls`]
    : []
}

function routeProblems({ routes = [], ...file }: AlertsFile): string[] {
  const all = routes.findIndex((route) => isCatchAll(route) && route.continue !== true)
  const last = all === -1 ? [] : routes.slice(all + 1).map((_, i) => all + 1 + i)
  return [
    ...routes.flatMap(({ match, update_every: every }, i) => [
      ...matchProblems(match, `routes.${i}.match`),
      ...within(`routes.${i}.update_every`, every, ['1m', '7d']),
    ]),
    ...within('default.update_every', file.default?.update_every, ['1m', '7d']),
    ...last.map((i) => `routes.${i} is never reached: routes.${all} takes every alert`),
    ...(all !== -1 && file.default
      ? [`default is never reached: routes.${all} takes every alert`]
      : []),
  ]
}

/** Receivers that one person may read alone. */
const IS_PERSONAL = new Set(['email', 'slack', 'webhook'])

/** A link is for one person: it goes to one receiver that one person reads. */
const approverProblems = ({ routes = [], receivers }: AlertsFile, hasLinks: boolean): string[] =>
  routes.flatMap(({ approver, receivers: named }, i) => {
    if (approver === undefined) return []
    const key = `routes.${i}.approver ${approver}`
    const own = receivers.find(({ name }) => name === named[0])
    return [
      ...(hasLinks
        ? []
        : [
            `${key} would be sent links: set PLUMBLINE_APPROVAL_LINK_KEYS_FILE, whose keys sign them`,
          ]),
      ...(canonicalName(approver) === '' || approver.startsWith(CLAIMED)
        ? [`${key} must be the name of a person, as keys and tokens give it`]
        : []),
      ...(named.length === 1
        ? []
        : [`${key} is one person: name one receiver, which they alone read`]),
      ...(own && !IS_PERSONAL.has(own.kind)
        ? [
            `${key} is told by ${own.name}, of kind ${own.kind}: links go by email, slack and webhook`,
          ]
        : []),
      ...(own?.kind === 'email' && own.to.length > 1
        ? [`${key} is told by ${own.name}, which writes to ${own.to.length} addresses: name one`]
        : []),
    ]
  })

const isCatchAll = ({ match }: Route) => Object.keys(match).length === 0

const matchProblems = (match: Match, key: string): string[] =>
  (['model', 'team', 'owner', 'environment'] as const).flatMap((field) =>
    (match[field] ?? []).flatMap((pattern) => {
      const problem = globProblem(pattern)
      return problem === undefined ? [] : [`${key}.${field}: ${pattern} ${problem}`]
    }),
  )

const digestProblems = ({ digests = [] }: AlertsFile): string[] => [
  ...digests.flatMap(({ match = {}, timezone = 'UTC' }, i) => [
    ...matchProblems(match, `digests.${i}.match`),
    ...(isTimezone(timezone)
      ? []
      : [`digests.${i}.timezone ${timezone} is not an IANA time zone such as Europe/Berlin`]),
  ]),
  ...twice(digests.map(({ name }) => name)).map((name) => `two digests are called ${name}`),
]

/** Receivers that page, or mark a time: a summary is nothing for them. */
const NO_DIGESTS = new Set(['pagerduty', 'opsgenie', 'grafana'])

const pagedDigests = ({ digests = [], receivers }: AlertsFile): string[] =>
  digests.flatMap(({ receivers: named }, i) =>
    receivers.flatMap(({ name, kind }) =>
      named.includes(name) && NO_DIGESTS.has(kind)
        ? [
            `digests.${i}.receivers names ${name}: digests go to slack, email and webhook, not to ${kind}`,
          ]
        : [],
    ),
  )

function within(key: string, text: string | undefined, [least, most]: [string, string]): string[] {
  if (text === undefined) return []
  const ms = durationMs(text)
  return ms >= durationMs(least) && ms <= durationMs(most)
    ? []
    : [`${key} ${text} is not from ${least} to ${most}`]
}
