/** The dashboard of remediation: what was done about alarms, how fast, and whether it helped. */
import { promPanel, sqlPanel, type DashboardSpec } from './panel.ts'

/** Retraining runs, alerts sent, and what people answered to alarms. */
export const REMEDIATION: DashboardSpec = {
  uid: 'plumbline-remediation',
  title: 'Plumbline: remediation',
  variables: [],
  rows: [
    {
      row: 'Runs',
      panels: [
        sqlPanel(
          ['Retraining runs', 'What was asked for, why, and how it ended.', 'short'],
          'table',
          'SELECT at, model_id, policy, state, new_version, window_end, reason FROM retrain_runs WHERE $__timeFilter(at) ORDER BY at DESC LIMIT 100',
          { width: 24 },
        ),
        promPanel(
          [
            'Runs by state',
            'Runs of all models; what waits for approval waits for a person.',
            'short',
          ],
          'sum by (state) (max by (model_id, state) (plumbline_retrain_runs))',
          '{{state}}',
        ),
        promPanel(
          [
            'Whether runs helped',
            'Promoted runs by what became of the cohort that caused them.',
            'short',
          ],
          'sum by (outcome) (max by (model_id, outcome) (plumbline_retrain_outcomes))',
          '{{outcome}}',
        ),
        promPanel(
          [
            'Time to repair',
            'Medians of each phase over the runs of 30 days; the slowest model.',
            's',
          ],
          'max by (phase) (plumbline_retrain_phase_seconds)',
          '{{phase}}',
        ),
        promPanel(
          ['Jobs started in vain', 'Runs by why their job need not have run.', 'short'],
          'sum by (why) (max by (model_id, why) (plumbline_retrain_false_starts))',
          '{{why}}',
        ),
      ],
    },
    {
      row: 'Alerts and answers',
      panels: [
        promPanel(
          ['Alerts sent', 'Messages to receivers by what became of them.', 'cps'],
          'sum by (receiver, outcome) (rate(plumbline_alert_deliveries_total[$__rate_interval]))',
          '{{receiver}} {{outcome}}',
        ),
        sqlPanel(
          ['Answers to alarms', 'What people decided, and why.', 'short'],
          'table',
          'SELECT decided_at, model_id, decision, actor, family, metric, subject, until, comment FROM verdict_decisions WHERE $__timeFilter(decided_at) ORDER BY decided_at DESC LIMIT 100',
        ),
      ],
    },
  ],
}
