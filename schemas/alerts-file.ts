/** Who is told what: the file of alerts, with its receivers, routes and digests. */
import Type, { type Static, type TProperties } from 'typebox'
import { closed, DURATION } from './launch-requests.ts'

/** What an alert may be about. */
export const ALERT_KINDS = [
  'alarm',
  'silence',
  'run_failed',
  'approval',
  'made_worse',
  'canary',
] as const
/** What an alert is about. */
export type AlertKind = (typeof ALERT_KINDS)[number]

const NAME = '^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$'
const name = (description: string) =>
  Type.String({ pattern: NAME, description: `${description}: letters, digits, _ . and -` })
const secret = Type.String({
  pattern: '^secret://\\S+$',
  maxLength: 300,
  description: 'a reference to a secret, written secret://env/NAME',
})
const address = Type.String({
  pattern: '^https?://\\S+$',
  maxLength: 2000,
  description: 'an address that begins with http:// or https://',
})
const path = Type.String({ minLength: 1, maxLength: 1000, description: 'the path of a file' })
const duration = Type.String({ pattern: DURATION, description: 'a duration such as 30s or 6h' })
const mailbox = Type.String({
  pattern: '^[^\\s@<>,;"]+@[^\\s@<>,;"]+$',
  maxLength: 254,
  description: 'an address such as ann@example.com',
})

/** What messages say; both may name values by `{{name}}`. */
const Templates = Type.Object(
  {
    title: Type.Optional(Type.String({ minLength: 1, maxLength: 1000 })),
    text: Type.Optional(Type.String({ minLength: 1, maxLength: 10_000 })),
  },
  closed,
)
/** What messages say; both may name values by `{{name}}`. */
export type Templates = Static<typeof Templates>

const Tls = Type.Object(
  {
    ca_file: Type.Optional(path),
    cert_file: Type.Optional(path),
    key_file: Type.Optional(path),
  },
  closed,
)

const receiver = <K extends string, P extends TProperties>(kind: K, own: P) =>
  Type.Object(
    {
      name: name('the name of a receiver'),
      kind: Type.Literal(kind),
      ...own,
      timeout: Type.Optional(duration),
      give_up_after: Type.Optional(duration),
      tls: Type.Optional(Tls),
      templates: Type.Optional(Templates),
    },
    closed,
  )

const SlackReceiver = receiver('slack', { url: secret })
const PagerdutyReceiver = receiver('pagerduty', {
  routing_key: secret,
  url: Type.Optional(address),
})
const OpsgenieReceiver = receiver('opsgenie', {
  api_key: secret,
  url: Type.Optional(address),
})
const EmailReceiver = receiver('email', {
  host: Type.String({
    pattern: '^[A-Za-z0-9.:_-]{1,253}$',
    description: 'the name or address of a mail server',
  }),
  port: Type.Optional(Type.Integer({ minimum: 1, maximum: 65_535 })),
  security: Type.Optional(Type.Enum(['starttls', 'tls', 'none'])),
  user: Type.Optional(Type.String({ minLength: 1, maxLength: 320 })),
  password: Type.Optional(secret),
  from: mailbox,
  to: Type.Array(mailbox, { minItems: 1, maxItems: 50 }),
})
const WebhookReceiver = receiver('webhook', {
  url: Type.String({
    pattern: '^(https?|secret)://\\S+$',
    maxLength: 2000,
    description: 'an address, or a reference to a secret, written secret://env/NAME',
  }),
  key: Type.Optional(secret),
  headers: Type.Optional(
    Type.Record(Type.String(), Type.String({ maxLength: 4000 }), { maxProperties: 50 }),
  ),
})
const GrafanaReceiver = receiver('grafana', {
  url: address,
  token: secret,
  dashboard_uid: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })),
  panel_id: Type.Optional(Type.Integer({ minimum: 1 })),
})

/** Somebody who is told. */
const Receiver = Type.Union([
  SlackReceiver,
  PagerdutyReceiver,
  OpsgenieReceiver,
  EmailReceiver,
  WebhookReceiver,
  GrafanaReceiver,
])
/** Somebody who is told, as read and checked. */
export type Receiver = Static<typeof Receiver>
/** A receiver of one kind. */
export type ReceiverOf<K extends Receiver['kind']> = Extract<Receiver, { kind: K }>

const patterns = Type.Array(Type.String({ minLength: 1, maxLength: 200 }), {
  minItems: 1,
  maxItems: 1000,
})
/** Which alerts are meant: those of which every key that is given has one of its values. */
const Match = Type.Object(
  {
    model: Type.Optional(patterns),
    team: Type.Optional(patterns),
    owner: Type.Optional(patterns),
    environment: Type.Optional(patterns),
    severity: Type.Optional(Type.Array(Type.Enum(['warning', 'alarm']), { minItems: 1 })),
    kind: Type.Optional(Type.Array(Type.Enum([...ALERT_KINDS]), { minItems: 1 })),
  },
  closed,
)
/** Which alerts are meant: those of which every key that is given has one of its values. */
export type Match = Static<typeof Match>

const names = Type.Array(Type.String({ minLength: 1, maxLength: 64 }), {
  minItems: 1,
  maxItems: 50,
})

const Route = Type.Object(
  {
    match: Match,
    receivers: names,
    continue: Type.Optional(Type.Boolean()),
    update_every: Type.Optional(duration),
    approver: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 180,
        description: 'Who reads what is sent there: approvals come with a link for this person.',
      }),
    ),
  },
  closed,
)
/** Where some alerts go, as read and checked. */
export type Route = Static<typeof Route>

const DefaultRoute = Type.Object(
  { receivers: names, update_every: Type.Optional(duration) },
  closed,
)

const Digest = Type.Object(
  {
    name: name('the name of a digest'),
    receivers: names,
    at: Type.String({
      pattern: '^([01]\\d|2[0-3]):[0-5]\\d$',
      description: 'a time of the day such as 08:30',
    }),
    days: Type.Optional(
      Type.Array(Type.Enum(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']), {
        minItems: 1,
        maxItems: 7,
      }),
    ),
    timezone: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })),
    match: Type.Optional(Match),
  },
  closed,
)
/** A summary that comes at a time, as read and checked. */
export type Digest = Static<typeof Digest>

/** The file of alerts. */
export const AlertsFile = Type.Object(
  {
    receivers: Type.Array(Receiver, { minItems: 1, maxItems: 200 }),
    routes: Type.Optional(Type.Array(Route, { maxItems: 1000 })),
    default: Type.Optional(DefaultRoute),
    digests: Type.Optional(Type.Array(Digest, { maxItems: 100 })),
    templates: Type.Optional(Templates),
  },
  closed,
)
/** The file of alerts, as read and checked. */
export type AlertsFile = Static<typeof AlertsFile>
