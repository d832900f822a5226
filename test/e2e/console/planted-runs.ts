/** Runs, entries of the audit log, settings and data health, as a busy service has them. */
import type { Static } from 'typebox'
import type { DataHealthAnswer, LettersAnswer } from '../../../schemas/http/pages/data-health.ts'
import type { AuditAnswer } from '../../../schemas/http/pages/audit.ts'
import type { OneRunAnswer, RunAnswer } from '../../../schemas/http/retrain-trigger.ts'
import { HOSTILE } from '../../chromium-page.ts'

const NOW = Math.floor(Date.now() / 3_600_000) * 3_600_000
const ago = (hours: number) => new Date(NOW - hours * 3_600_000).toISOString()

const trigger = (metric: string, subject: string, level: 'warning' | 'alarm') => ({
  ...{ family: subject === '' ? 'performance' : 'drift', metric, subject, slice: null },
  ...{ version: '', from: ago(96), to: ago(24), test: { level } },
})

const run = (more: Partial<RunAnswer>): RunAnswer => ({
  ...{ run_id: 'r1', model_id: 'credit-risk', policy: 'accuracy falls', cause: 'window:1' },
  ...{ state: 'awaiting_approval', message: '', window_end: ago(24), decided_at: ago(23) },
  reason: 'accuracy is down from 0.831 to 0.704 in 3 of 3 windows; amount has drifted (PSI 1.84)',
  ...{ requested_by: 'policy', approvals: ['maria'], approvals_needed: 2, labels_known: 48_210 },
  ...{ new_version: '', approval_expires_at: ago(-49), acceptance: null, promoted_at: null },
  triggers: [trigger('accuracy', '', 'alarm'), trigger('psi', 'amount', 'alarm')],
  ...{ repair: null, notes: [], job_id: null, job_url: '', attempts: 0, next_attempt_at: null },
  ...{ revision: 2, created_at: ago(23), updated_at: ago(4) },
  delegated: [{ by: 'maria', for: 'tom', delegation_id: 'd1' }],
  ...{ configuration: null, dataset: null, rollout: null, step: null },
  ...more,
})

const repaired = {
  ...{ outcome: 'repaired' as const, reason: 'accuracy is back where it was before the fall' },
  metrics: [
    {
      ...{ metric: 'performance.accuracy', before: 0.704, after: 0.836, difference: 0.132 },
      ...{ ci_low: 0.104, ci_high: 0.16, ci_level: 0.95, n_before: 3, n_after: 6 },
      ...{ outcome: 'repaired' as const, reason: '' },
    },
  ],
  ...{ evaluated_at: ago(30), until: ago(-200) },
}

/** A candidate that is held at its second step, since it is worse there. */
const HELD = {
  ...{ state: 'held' as const, steps: [1, 5, 25, 100], place: 1, share: 5, turn: 3 },
  ...{ current_version: HOSTILE[1]!, step_run: 's', begun_at: ago(30), served_at: ago(29) },
  ...{ served_stream_at: ago(29), until: ago(5), reason: `worse: ${HOSTILE[0]}` },
  ...{ proposes: 'roll_back' as const, severity: 'alarm' as const },
  verdict: {
    ...{ decision: 'worse' as const, reason: 'worse: accuracy', evaluated_at: ago(1) },
    ...{ n_current: 19_000, n_candidate: 1000, labelled_current: 900, labelled_candidate: 90 },
    metrics: [
      {
        ...{ metric: 'accuracy', current: 0.8, candidate: 0.71, difference: -0.09 },
        ...{ ci_low: -0.12, ci_high: -0.05, decision: 'worse' as const },
      },
      {
        ...{ metric: 'cost_usd', current: null, candidate: null, difference: null },
        ...{ ci_low: null, ci_high: null, decision: 'undecided' as const },
      },
    ],
  },
}

const HASH = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'

/** What a run's job learns from. */
const DATASET = {
  ...{ as_of: ago(23), from: ago(24 * 91), to: ago(24), sha256: HASH },
  parts: (['predictions', 'labels'] as const).map((table, i) => ({
    ...{ table, query: 'SELECT', parameters: {}, schema: [], names: [], content_sha256: HASH },
    ...{ rows: [412_300, 48_210][i]!, weight: 500_000 },
  })),
}

/** Runs in states that differ, the newest first; texts of some are hostile. */
export const RUNS: RunAnswer[] = [
  run({ dataset: DATASET, configuration: { model_file_sha256: HASH, code_sha256: '' } }),
  run({
    ...{ run_id: 'r2', model_id: 'demand-forecast', policy: 'weekly', state: 'running' },
    ...{ reason: 'schedule: Monday 06:00', approvals: [], approvals_needed: 0, triggers: [] },
    ...{ job_url: 'https://jobs.example/42', created_at: ago(6) },
  }),
  run({
    ...{
      run_id: 'r3',
      state: 'promoted',
      new_version: '8',
      repair: repaired,
      created_at: ago(400),
    },
    acceptance: {
      ...{ decision: 'promoted', reason: 'every requirement is met', evaluated_at: ago(390) },
      until: ago(300),
      requirements: [
        {
          ...{ requirement: 'performance.accuracy >= current + 0.02', met: true, reason: '' },
          ...{ candidate: 0.84, current: 0.71, line: 0.73, source: 'shadow' as const, n: 12_400 },
        },
        {
          ...{ requirement: 'fairness.disparate_impact_ratio.sex=2 >= 0.8', met: true, reason: '' },
          ...{ candidate: 0.91, current: 0.9, line: 0.8, source: 'reported' as const, n: 0 },
        },
      ],
    },
  }),
  run({
    ...{
      run_id: 'r4',
      model_id: 'churn',
      policy: 'drifted',
      state: 'failed',
      created_at: ago(500),
    },
    ...{ message: 'the job ended with 1: out of memory', reason: 'PSI of tenure is at alarm' },
    notes: ['revision 2 of its window withdrew the evidence: the condition no longer holds'],
  }),
  run({
    ...{ run_id: 'r5', model_id: HOSTILE[0], policy: HOSTILE[1], state: 'rejected' },
    ...{ reason: HOSTILE[2], message: HOSTILE[3], created_at: ago(900) },
  }),
  run({
    ...{ run_id: 'r6', model_id: 'churn', policy: 'weekly', state: 'promoting', new_version: '9' },
    ...{ reason: 'schedule: Monday 06:00', triggers: [], created_at: ago(950), rollout: HELD },
  }),
]

/** A run with its history. */
export const ONE_RUN = (of: RunAnswer): Static<typeof OneRunAnswer> => ({
  ...of,
  escalation: [
    { after: '12h', to: ['risk-chat'], due_at: ago(11), told_at: ago(11), missing: [] },
    { after: '1d', to: ['pager', 'lead'], due_at: ago(-1), told_at: null, missing: [] },
  ],
  transitions: [
    { state: 'awaiting_approval', actor: 'policy', for: '', reason: of.reason, at: ago(23) },
    { state: 'approve', actor: 'maria', for: 'tom', reason: 'the fall is real', at: ago(4) },
    ...(of.state === 'awaiting_approval'
      ? []
      : [{ state: of.state, actor: 'claimed:ann', for: '', reason: of.message, at: ago(3) }]),
  ],
})

const DONE: readonly [string, string, string, object][] = [
  ['run.approve', 'maria', 'r1', { model_id: 'credit-risk', message: 'the fall is real' }],
  [
    'verdict.dismiss',
    'claimed:ann',
    'credit-risk/2026-03-02T00:00:00.000Z',
    { model_id: 'credit-risk', comment: 'a holiday' },
  ],
  [
    'run.awaiting_approval',
    'policy',
    'r1',
    {
      model_id: 'credit-risk',
      policy: 'accuracy falls',
      reason: 'accuracy is down from 0.831 to 0.704',
    },
  ],
  ['model_file.changed', 'model files', 'churn', { model_id: 'churn', file: 'churn.yaml' }],
  ['key.added', 'root', '0f3a4b5c8d7e', { id: 'gateway', may: ['emitter'] }],
  ['reference.put', 'lee', 'churn/spring', { model_id: 'churn', kind: 'fixed' }],
  ['retention.dropped', 'retention', 'predictions 2025-09', { rows: 120_000 }],
  ['verdict.accept', HOSTILE[1], HOSTILE[0], { model_id: HOSTILE[0], comment: HOSTILE[2] }],
]

/** A page of the audit log, the newest entry first. */
export const AUDIT: Static<typeof AuditAnswer> = {
  entries: DONE.map(([action, actor, subject, detail], i) => ({
    ...{ sequence: 1284 - i, at: ago(1 + i * i * 3), actor, action, subject },
    ...{ detail: { ...detail }, previous_hash: 'b'.repeat(64), hash: 'a'.repeat(64) },
  })),
  ...{ complete: true, reason: '', head: { entries: 1284, hash: 'a'.repeat(64) } },
}

/** What went wrong with events, all of it at once. */
export const DATA_HEALTH: Static<typeof DataHealthAnswer> = {
  letters: [
    {
      ...{ topic: 'plumbline.predictions.v1', reason: 'missing_field', service: 'ingest' },
      rule: 'Every required field of the event is there.',
      ...{ letters: 1240, last_day: 12, first_at: ago(700), newest_at: ago(1) },
      newest_message: 'model_version is required',
    },
    {
      ...{ topic: 'shop/orders', reason: 'unmapped', service: 'ingest' },
      rule: 'The mapping of a source fits its messages.',
      ...{ letters: 3, last_day: 0, first_at: ago(300), newest_at: ago(200) },
      newest_message: HOSTILE[0],
    },
  ],
  producers_in_all: 3,
  producers: [
    ['gateway-2', '48210', '48009', '12', '201'],
    ['gateway-1', '51002', '51002', '3', '0'],
    [HOSTILE[1], '20', '20', '0', '0'],
  ].map(([producer, emitted, received, duplicates, lost]) => ({
    ...{ model_id: 'credit-risk', producer: producer!, emitted: emitted!, received: received! },
    ...{ duplicates: duplicates!, lost: lost! },
  })),
  waiting: [{ model_id: 'churn', labels: '312', since: ago(90) }],
  stored: [
    {
      ...{ topic: 'plumbline.predictions.v1', newest_at: ago(0), messages: '812000' },
      ...{ refused: '12', repeats: '15', behind: 40 },
    },
    {
      ...{ topic: 'plumbline.labels.v1', newest_at: ago(2), messages: '61000' },
      ...{ refused: '0', repeats: '0', behind: null },
    },
  ],
  disk: {
    ...{ free_bytes: 6_400_000_000, total_bytes: 100_000_000_000 },
    tables: [
      { table: 'predictions', bytes: 41_000_000_000, rows: 812_000_000 },
      { table: 'outcomes', bytes: 9_100_000_000, rows: 61_000_000 },
    ],
  },
  problems: [],
}

/** Refused messages, one of which is no text. */
export const LETTERS: Static<typeof LettersAnswer> = {
  letters: [
    ['{"prediction_id":"p-1","model_id":"credit-risk"}', '48'],
    ['\u0000\u00ff<b>bytes</b>', '700000'],
  ].map(([value, size], i) => ({
    ...{ topic: 'plumbline.predictions.v1', partition: '0', offset: String(17 + i) },
    ...{ reason: 'missing_field', message: 'model_version is required', service: 'ingest' },
    ...{ received_at: ago(i + 1), key: '', value: btoa(value!), value_bytes: size! },
  })),
  next: 'the-next-ones',
}

/** What the page of settings asks of the model itself. */
export const SETTINGS_MODEL = {
  model_id: 'team/m',
  alarms: { episodes: 4, refuted: 1, weeks: 12, refuted_per_week: 0.08, budget_per_week: 0.25 },
  baseline: {
    compared_with:
      'Windows are compared with its first 8 complete windows (2026-01-05 to 2026-01-13)',
    set_to:
      'All metrics together may cost one false alarm in 4 weeks: a window alarms by chance with a probability of at most 0.036',
    tested_windows: 82,
    last_90_days: [
      { false_alarms_per_week: 0.1, windows: 9, episodes: 2 },
      { false_alarms_per_week: 0.25, windows: 12, episodes: 4 },
      { false_alarms_per_week: 1, windows: 21, episodes: 11 },
    ],
  },
}
