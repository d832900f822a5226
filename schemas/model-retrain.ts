/** When a model is retrained, by what, and what its candidates must reach, as its model file says. */
import Type, { type Static } from 'typebox'
import { closed, DURATION } from './launch-requests.ts'
import type { Launch } from './launch.ts'

const duration = (description: string, fallback: string) =>
  Type.String({ pattern: DURATION, description, default: fallback })
/** A launch, by reference: written out at each place it would be two thirds of the model file's schema. */
const launch = Type.Unsafe<Launch>({ $ref: '#/$defs/launch' })
const timezone = Type.Optional(Type.String({ description: 'IANA name; UTC unless given.' }))

/** Hours in which nothing is launched: what is due waits for their end. */
const QuietHours = Type.Object(
  {
    days: Type.Optional(
      Type.Array(Type.Enum(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']), {
        minItems: 1,
        maxItems: 7,
        description: 'Days on which they begin; every day unless given.',
      }),
    ),
    from: Type.String({ pattern: '^([01]\\d|2[0-3]):[0-5]\\d$' }),
    to: Type.String({
      pattern: '^([01]\\d|2[0-3]):[0-5]\\d$|^24:00$',
      description: 'Not later than `from`: on the next day.',
    }),
    timezone,
  },
  closed,
)
/** Hours in which nothing is launched, as read and checked. */
export type QuietHours = Static<typeof QuietHours>

const wallTime = (description: string) =>
  Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}(T\\d{2}:\\d{2})?$', description })

/** A span in which nothing is launched: what is due waits for its end. */
const Freeze = Type.Object(
  {
    from: wallTime('A day, from its beginning, or a minute of it.'),
    to: wallTime('The first day or minute in which launches go on.'),
    timezone,
    reason: Type.Optional(Type.String({ maxLength: 200 })),
  },
  closed,
)
/** A span in which nothing is launched, as read and checked. */
export type Freeze = Static<typeof Freeze>

/** How the candidate of a run is validated. */
const Validation = Type.Object(
  {
    evidence: Type.Enum(['any', 'shadow', 'reported'], {
      default: 'any',
      description:
        'Its shadow predictions, what its job reports, or either, the shadow predictions first.',
    }),
    min_events: Type.Integer({
      minimum: 1,
      maximum: 200_000,
      default: 200,
      description: 'Requests that both versions answered below which shadows decide nothing.',
    }),
    within: duration(
      'Time after which incomplete evidence rejects the candidate, 1m to 90d.',
      '7d',
    ),
  },
  closed,
)
/** How a candidate is validated, as read and checked. */
export type Validation = Static<typeof Validation>

/** How long it is watched whether a promotion has helped. */
const Watch = Type.Object(
  {
    windows: Type.Integer({
      minimum: 1,
      maximum: 50,
      default: 4,
      description: 'Windows of the new version that are held against those that caused the run.',
    }),
    within: duration('Time after which the run is closed with what there is, 1m to 365d.', '60d'),
  },
  closed,
)
/** How long a promotion is watched, as read and checked. */
export type Watch = Static<typeof Watch>

/** Which data a job is to learn from; its manifest is kept with the run. */
const TrainingData = Type.Object(
  {
    span: duration('Predictions of so long before the decision, 1h to 3650d.', '90d'),
    attributes: Type.Optional(
      Type.Record(Type.String({ maxLength: 200 }), Type.String({ maxLength: 1000 }), {
        maxProperties: 20,
        description: 'Predictions with these attributes alone.',
      }),
    ),
  },
  closed,
)
/** Which data a job is to learn from, as read and checked. */
export type TrainingData = Static<typeof TrainingData>

/** How long each phase of a run may take: what takes longer is late, and is counted. */
const Targets = Type.Object(
  {
    detect: Type.Optional(
      Type.String({
        pattern: DURATION,
        description: 'From the end of a window to its evaluation.',
      }),
    ),
    decide: Type.Optional(
      Type.String({
        pattern: DURATION,
        description: 'From there to the leave to launch, approvals included.',
      }),
    ),
    launch: Type.Optional(
      Type.String({ pattern: DURATION, description: 'From there to the start of the job.' }),
    ),
    repair: Type.Optional(
      Type.String({
        pattern: DURATION,
        description: 'From the evaluation to the outcome `repaired`.',
      }),
    ),
  },
  { ...closed, minProperties: 1 },
)

/** How a candidate gets its traffic: step by step, each held against the version that serves. */
const Promote = Type.Object(
  {
    launch,
    steps: Type.Array(Type.Number({ exclusiveMinimum: 0, maximum: 100 }), {
      minItems: 1,
      maxItems: 20,
      default: [1, 5, 25, 100],
      description: 'Percent of the traffic that the candidate gets, ascending; the last is 100.',
    }),
    served_when: Type.Enum(['reported', 'answered'], {
      default: 'reported',
      description:
        'When a step counts as served: once its job has succeeded, or once its webhook has answered.',
    }),
    min_events: Type.Integer({
      minimum: 1,
      maximum: 200_000,
      default: 500,
      description: 'Units of each version at a step before it goes on.',
    }),
    min_labelled: Type.Integer({
      minimum: 0,
      maximum: 200_000,
      default: 0,
      description: 'Units of each version whose truth is known, before it goes on.',
    }),
    at_least: duration('Least time at a step once it is served, 0s to 30d.', '0s'),
    step_within: duration('Time after which a step that has not gone on is late, 1m to 30d.', '1d'),
    when_late: Type.Enum(['hold', 'go_on', 'roll_back'], {
      default: 'hold',
      description: 'What follows on a step that is late.',
    }),
    on_worse: Type.Enum(['roll_back', 'propose', 'page'], {
      default: 'propose',
      description:
        'What follows on a candidate that is worse: it is rolled back; or held, with a proposal and a warning; or held, with an alarm.',
    }),
    alpha: Type.Number({
      minimum: 0.0001,
      maximum: 0.2,
      default: 0.05,
      description: 'Probability of any wrong verdict, over all metrics, looks and steps.',
    }),
  },
  closed,
)
/** How a candidate gets its traffic, as read and checked. */
export type Promote = Static<typeof Promote>

/** Whom an approval that nobody has given is taken to, and when. */
const Escalation = Type.Object(
  {
    after: Type.String({
      pattern: DURATION,
      description: 'Time since the run awaits approval, 1m to 365d.',
    }),
    to: Type.Array(Type.String({ minLength: 1, maxLength: 64 }), {
      minItems: 1,
      maxItems: 20,
      description: 'Receivers of the file of alerts.',
    }),
  },
  closed,
)
/** Whom an approval that nobody has given is taken to, as read and checked. */
export type Escalation = Static<typeof Escalation>

/** When a model is retrained and by what, as its model file says. */
export const RetrainPolicy = Type.Object(
  {
    name: Type.String({ minLength: 1 }),
    when: Type.String({ minLength: 1, description: 'See docs/policies.md.' }),
    launch,
    approval: Type.Enum(['none', 'one', 'two'], { default: 'none' }),
    approval_expires: Type.Optional(
      duration('Time after which a run that nobody approved is cancelled, 1m to 365d.', '7d'),
    ),
    escalate: Type.Optional(
      Type.Array(Escalation, {
        minItems: 1,
        maxItems: 10,
        description: 'Whom an approval that nobody has given is taken to, step by step.',
      }),
    ),
    cooldown: duration('Least stream time between two launches.', '0s'),
    max_per_month: Type.Integer({
      minimum: 1,
      default: 100,
      description: 'Launches in 30 days of stream time.',
    }),
    dry_run: Type.Optional(
      Type.Boolean({
        default: false,
        description: 'Decides and records, and launches nothing: its runs end as `proposed`.',
      }),
    ),
    quiet: Type.Optional(Type.Array(QuietHours, { maxItems: 20 })),
    freezes: Type.Optional(Type.Array(Freeze, { maxItems: 50 })),
    dataset: Type.Optional(TrainingData),
    accept: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 500 }), {
        minItems: 1,
        maxItems: 20,
        description:
          'What a candidate must reach to be promoted, such as `performance.accuracy >= 0.8` or `performance.mae <= current * 1.05`.',
      }),
    ),
    validation: Type.Optional(Validation),
    watch: Type.Optional(Watch),
    promote: Type.Optional(Promote),
    targets: Type.Optional(Targets),
  },
  closed,
)
/** A retraining policy of a model file, as read and checked. */
export type RetrainPolicy = Static<typeof RetrainPolicy>
