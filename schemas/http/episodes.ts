/** Parameters, bodies and answers of alert episodes. */
import Type, { type Static } from 'typebox'
import { asOf, bigCount, closed, defaulted, nullable, person, time } from './parts.ts'

const AT = '2026-01-01T00:00:00.000Z'
const NEXT = '2026-01-02T00:00:00.000Z'
const number = (description: string) => nullable(Type.Number({ description }))
const count = (description: string) => Type.Integer({ minimum: 0, description })

/** The `{id}` and `{episode}` of a path that names an alert episode. */
export const EpisodePath = Type.Object({
  id: Type.String({ description: 'The model.', examples: ['fraud'] }),
  episode: Type.String({
    description: 'End of the first window of the episode, RFC 3339: its id without the model.',
    examples: [NEXT],
  }),
})

/** How many episodes are asked for. */
export const EpisodesQuery = closed({
  limit: defaulted(
    Type.Integer({
      minimum: 1,
      maximum: 200,
      default: 50,
      description: 'Episodes of the answer at most, the newest ones.',
      examples: [50],
    }),
  ),
  as_of: asOf,
})

/** Instant as of which an episode is told. */
export const EpisodeQuery = closed({ as_of: asOf })

const What = closed({
  family: Type.String(),
  metric: Type.String(),
  subject: Type.String({ description: 'A feature, a group, or empty for the model.' }),
})

const summary = {
  episode_id: Type.String({ description: 'As in `active_alarms` and `window_revisions`.' }),
  episode: time('End of the first window: the name of the episode in addresses.'),
  since: time('End of the first window.'),
  until: time('End of the last window that is part of it.'),
  windows: count('Windows with an alarm or a warning.'),
  severity: Type.Enum(['warning', 'alarm'], { description: 'The gravest of its windows.' }),
  ended: Type.Enum(['active', 'accepted', 'dismissed', 'by itself'], {
    description: 'Whether something of it is active, or else how it ended.',
  }),
  alarms: Type.Array(What, { description: 'What alarmed of the model as a whole; 100 at most.' }),
}

/** One alert episode in short. */
const EpisodeSummary = closed(summary)
/** One alert episode in short. */
export type EpisodeSummary = Static<typeof EpisodeSummary>

const SUMMARY = {
  episode_id: `fraud/${NEXT}`,
  episode: NEXT,
  since: NEXT,
  until: NEXT,
  windows: 1,
  severity: 'alarm',
  ended: 'active',
  alarms: [{ family: 'drift', metric: 'psi', subject: 'amount' }],
}

/** The alert episodes of a model. */
export const EpisodesAnswer = closed(
  { model_id: Type.String(), episodes: Type.Array(EpisodeSummary) },
  {
    description: 'The newest first.',
    examples: [{ model_id: 'fraud', episodes: [SUMMARY] }],
  },
)

const EpisodeWindow = closed({
  window_start: time('Start of the window.'),
  window_end: time('Its end.'),
  worst: Type.Enum(['alarm', 'warning', 'ok', 'incomplete'], {
    description: 'The gravest verdict of the model as a whole.',
  }),
  events: bigCount('Events of the window.'),
  labelled: bigCount('Those of them that are labelled.'),
  label_maturity: number('Age of the labels as a share of the label horizon, at most 1.'),
  completeness: number('Share of the sent events that came; null where senders do not number.'),
})

const EpisodeAlarm = closed({
  model_version: Type.String({ description: 'One version, or empty for all.' }),
  variant: Type.String({ description: 'One arm of an experiment, or empty for all.' }),
  slice_key: Type.String(),
  slice_value: Type.String(),
  ...What.properties,
  reference: Type.String(),
  severity: Type.Enum(['warning', 'alarm'], {
    description: 'Severity in the newest of its windows.',
  }),
  value: number('In the newest of its windows; null where it cannot be known.'),
  baseline_value: number('The same metric of the baseline; null where the baseline has none.'),
  threshold: number('The line it is held against.'),
  p_adjusted: number('Corrected for all that was tested of the window.'),
  reason: Type.String(),
  since: time('End of the first window in which it alarmed or warned.'),
  window_end: time('End of the newest.'),
  windows: bigCount('Windows in which it alarmed or warned.'),
  n_current: bigCount('Events it rests on.'),
  n_labelled: bigCount('Labels it rests on.'),
  score_moved_alone: number('How far this feature alone moves the score; null where unknown.'),
  score_moved: number('How far the score moved; null where unknown.'),
})
/** What alarmed or warned in an episode. */
export type EpisodeAlarm = Static<typeof EpisodeAlarm>

const EpisodePerformance = closed({
  metric: Type.String(),
  value: number('In the newest window of the episode that has it.'),
  baseline_value: number('Value of the baseline; null where the baseline has none.'),
  ci_low: number('Lower end of its interval.'),
  ci_high: number('Upper end.'),
  verdict: Type.Enum(['ok', 'warning', 'alarm', 'incomplete', 'none']),
  window_end: time('End of that window.'),
  n_labelled: bigCount('Labels it rests on.'),
  label_maturity: number('Age of the labels as a share of the label horizon, at most 1.'),
})

const EpisodeFeedback = closed({
  decision: Type.Enum(['accept', 'dismiss', 'snooze']),
  actor: Type.String(),
  comment: Type.String(),
  until: nullable(time('End of a snooze.')),
  decided_at: time('When.'),
  verdicts: bigCount('Verdicts it is about.'),
})

const EpisodeRun = closed({
  run_id: Type.String(),
  policy: Type.String(),
  state: Type.String(),
  reason: Type.String(),
  message: Type.String(),
  new_version: Type.String(),
  actor: Type.String({ description: 'Who or what asked for it; empty until the log is mirrored.' }),
  asked_at: nullable(time('When it was asked for.')),
})

const AcceptPreview = closed(
  {
    windows: count('Windows that would join; one that overlaps another is left out.'),
    from: nullable(time('Start of the first of them; null where none joins.')),
    to: nullable(time('End of the last.')),
    events: count('Events of these windows.'),
    baseline: nullable(Type.String({ description: 'The baseline; null where there is none.' })),
    baseline_spans: count('Spans of the baseline as it is.'),
    baseline_events: count('Events of the baseline as it is.'),
    says: Type.String({ description: 'What accepting does, in a sentence.' }),
  },
  { description: 'What accepting does if it is done now, whatever `as_of`.' },
)
/** What accepting an episode does to the baseline. */
export type AcceptPreview = Static<typeof AcceptPreview>

/** One alert episode. */
export const EpisodeAnswer = closed(
  {
    model_id: Type.String(),
    ...summary,
    headline: Type.String({ description: 'What alarms, the gravest first.' }),
    evidence: Type.Array(EpisodeWindow, { description: 'Its windows, the newest 60, ascending.' }),
    results: Type.Array(EpisodeAlarm, {
      description:
        'Results of every cohort, the model as a whole and the gravest first; 300 at most.',
    }),
    performance: Type.Array(EpisodePerformance),
    feedback: Type.Array(EpisodeFeedback, { description: 'The newest first.' }),
    runs: Type.Array(EpisodeRun, {
      description: 'Runs decided on its windows, or asked for while it lasted; the newest first.',
    }),
    similar: Type.Array(
      closed({ ...summary, shared: count('Alarms that this episode has too.') }),
      { description: 'Episodes before with the same alarms, the most alike first; 5 at most.' },
    ),
    accept: AcceptPreview,
  },
  {
    description: 'What is known of the episode.',
    examples: [
      {
        model_id: 'fraud',
        ...SUMMARY,
        headline: 'amount has drifted (PSI 0.31)',
        evidence: [
          {
            window_start: AT,
            window_end: NEXT,
            worst: 'alarm',
            events: '1200',
            labelled: '800',
            label_maturity: 1,
            completeness: 0.998,
          },
        ],
        results: [],
        performance: [],
        feedback: [],
        runs: [],
        similar: [],
        accept: {
          windows: 1,
          from: AT,
          to: NEXT,
          events: 1200,
          baseline: 'baseline',
          baseline_spans: 8,
          baseline_events: 9000,
          says: '1 window with 1,200 events joins baseline, which has 9,000 events, 12 % of it from then on: values like these alarm no more',
        },
      },
    ],
  },
)

const feedback = {
  actor: Type.Optional(person),
  comment: Type.String({
    minLength: 1,
    maxLength: 2000,
    pattern: '\\S',
    description: 'Why.',
    examples: ['a new market'],
  }),
}

/** Accepts or dismisses an episode. */
export const EpisodeFeedbackBody = closed(feedback, {
  examples: [{ actor: 'ann', comment: 'a new market' }],
})

/** Snoozes all that alarms in an episode. */
export const EpisodeSnoozeBody = closed(
  {
    ...feedback,
    until: Type.String({ format: 'date-time', description: 'RFC 3339, by the wall clock.' }),
  },
  { examples: [{ actor: 'ann', comment: 'known, mended soon', until: '2099-01-01T00:00:00Z' }] },
)

/** What was said of an episode, as it is kept. */
export const EpisodeFeedbackAnswer = closed(
  {
    model_id: Type.String(),
    episode_id: Type.String(),
    decision: Type.Enum(['accept', 'dismiss', 'snooze']),
    actor: Type.String(),
    comment: Type.String(),
    decided_at: time('When.'),
    verdicts: count('Verdicts it is about.'),
  },
  {
    description: 'What was said.',
    examples: [
      {
        model_id: 'fraud',
        episode_id: `fraud/${NEXT}`,
        decision: 'accept',
        actor: 'ann',
        comment: 'a new market',
        decided_at: NEXT,
        verdicts: 3,
      },
    ],
  },
)
/** What was said of an episode. */
export type EpisodeFeedbackAnswer = Static<typeof EpisodeFeedbackAnswer>
/** One alert episode, whole. */
export type EpisodeAnswer = Static<typeof EpisodeAnswer>
