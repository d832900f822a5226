/**
 * Prometheus' rules on Plumbline's own metrics; `prometheus-rules.test.yaml` beside it holds
 * promtool's tests.
 */
import { stringify } from 'yaml'

interface RuleSpec {
  alert: string
  expr: string
  /** How long it must hold. */
  wait: string
  severity: 'critical' | 'warning'
  summary: string
  description: string
}

/**
 * Joins a model's owner, team and environment to a rule, where its file names them; every replica
 * of drift names them.
 */
const owned = (expr: string, on: string) =>
  `(${expr}) * on (model_id) group_left (owner, team, environment) max by (model_id, owner, team, environment) (plumbline_model_info) or on (${on}) (${expr})`

const WHOSE = '{{ if $labels.owner }} {{ $labels.owner }} answers for it.{{ end }}'
const WHOLE = 'model_version="",variant="",slice=""'

/** Producers, topics and label sources: `label_source=ground_truth`. */
const SENDER = 'subject=~"(producer|source|label_source)=.+"'

/** The value behind a verdict; the gauge has the labels of the alert. */
const VALUE = `{{ with printf "plumbline_window_metric{model_id=%q,family=%q,metric=%q,subject=%q,model_version='',variant='',slice=''}" $labels.model_id $labels.family $labels.metric $labels.subject | query }} Its value is {{ . | first | value | printf "%.4g" }}.{{ end }}`

/** Share of the phases of runs that may be late before the budget of 30 days is spent. */
const LATE_BUDGET = 0.1
/** Below this many late ones a share says little. */
const LEAST_LATE = 3

/** Runs over a span by phase; every replica of retrain-trigger counts the same. */
const phases = (span: string, more = '') =>
  `sum by (phase) (max by (model_id, phase, outcome) (plumbline_retrain_target_runs{span="${span}"${more}}))`
const late = (span: string) => phases(span, ',outcome="late"')
/** The budget is spent so many times as fast as it may be, over both spans. */
const burns = (times: number, spans: readonly [string, string]) =>
  [
    ...spans.map((span) => `${late(span)} / ${phases(span)} > ${times * LATE_BUDGET}`),
    `${late(spans[0])} >= ${LEAST_LATE}`,
  ].join(' and ')

const RULES: readonly RuleSpec[] = [
  {
    alert: 'PlumblineModelAlarm',
    expr: owned(
      `max by (model_id, family, metric, subject) (plumbline_active_alarm{${WHOLE},${SENDER.replace('=~', '!~')}}) >= 2`,
      'model_id, family, metric, subject',
    ),
    wait: '0m',
    severity: 'critical',
    summary:
      '{{ $labels.model_id }}: {{ $labels.family }} {{ $labels.metric }} {{ $labels.subject }} is at alarm',
    description: `The newest evaluated window differs from the baseline by more than its own windows do.${VALUE}${WHOSE}`,
  },
  {
    alert: 'PlumblineSenderSilent',
    expr: owned(
      `max by (model_id, family, metric, subject) (plumbline_active_alarm{${WHOLE},family="operations",${SENDER}}) >= 1`,
      'model_id, family, metric, subject',
    ),
    wait: '0m',
    severity: 'warning',
    summary: '{{ $labels.model_id }}: nothing comes from {{ $labels.subject }}',
    description: `The model's other events go on. The reason of the row says since when; a producer that was switched off leaves by itself after three windows.${WHOSE}`,
  },
  {
    alert: 'PlumblineWindowIncomplete',
    expr: owned(
      `sum by (model_id) (plumbline_verdicts{${WHOLE},family=~"drift|quality|operations",verdict="incomplete"}) > 0`,
      'model_id',
    ),
    wait: '1h',
    severity: 'warning',
    summary: '{{ $labels.model_id }} cannot be evaluated: data is missing',
    description: `{{ $value }} metrics of its newest window have been incomplete for an hour.${WHOSE}`,
  },
  {
    alert: 'PlumblineJudgeMuted',
    expr: owned(
      'max by (model_id, judge, version) (plumbline_judge_muted) == 1',
      'model_id, judge, version',
    ),
    wait: '0m',
    severity: 'warning',
    summary: '{{ $labels.model_id }}: the judge {{ $labels.judge }} is muted',
    description: `Version {{ $labels.version }} agrees with people less than its model file asks for, and is asked nothing more.${WHOSE}`,
  },
  {
    alert: 'PlumblineJudgeFails',
    expr: owned(
      'max by (model_id, judge, version) (plumbline_judge_failing) == 1',
      'model_id, judge, version',
    ),
    wait: '1h',
    severity: 'warning',
    summary: '{{ $labels.model_id }}: the judge {{ $labels.judge }} does not answer',
    description: `For an hour its last request has failed; GET /v1/models/{{ $labels.model_id }}/judges says why.${WHOSE}`,
  },
  {
    alert: 'PlumblineConsumerLag',
    expr: 'sum by (topic) (plumbline_consumer_lag) > 100000',
    wait: '10m',
    severity: 'warning',
    summary: '{{ $value }} messages of {{ $labels.topic }} are not stored yet',
    description: 'They have been for ten minutes: windows close late, and verdicts with them.',
  },
  {
    alert: 'PlumblineDeadLetters',
    expr: 'sum by (topic, reason) (increase(plumbline_events_total{outcome="dead_letter"}[15m])) > 0',
    wait: '0m',
    severity: 'warning',
    summary: 'messages of {{ $labels.topic }} are refused: {{ $labels.reason }}',
    description:
      '{{ printf "%.0f" $value }} in 15 minutes; the table dead_letters has their bytes.',
  },
  {
    alert: 'PlumblineShedding',
    expr: 'sum by (service) (increase(plumbline_endpoint_events_total{outcome="shed"}[5m])) > 0',
    wait: '5m',
    severity: 'warning',
    summary: '{{ $labels.service }} turns callers away: it cannot keep up',
    description: '{{ printf "%.0f" $value }} requests were answered 429 in five minutes.',
  },
  {
    alert: 'PlumblineCallersLimited',
    expr: 'sum by (job, limit) (increase(plumbline_rate_limited_requests_total[5m])) > 0',
    wait: '15m',
    severity: 'warning',
    summary: 'callers have sent more {{ $labels.limit }} than they may for 15 minutes',
    description:
      '{{ printf "%.0f" $value }} requests were answered 429 in five minutes; what callers do not send again is lost.',
  },
  {
    alert: 'PlumblineRunFailed',
    // The time of the failure decides: no counter has increased where the first run of a model
    // fails.
    expr: owned(
      'time() - max by (model_id) (plumbline_retrain_last_failure_timestamp_seconds) < 3600',
      'model_id',
    ),
    wait: '0m',
    severity: 'warning',
    summary: 'a retraining run of {{ $labels.model_id }} failed',
    description: `It failed within the last hour; the page of runs says why.${WHOSE}`,
  },
  {
    alert: 'PlumblineRetrainTargetsBurnFast',
    expr: burns(6, ['1d', '6h']),
    wait: '5m',
    severity: 'critical',
    summary: 'retraining is late to {{ $labels.phase }}',
    description:
      '{{ $value | humanizePercentage }} of the runs of a day did not keep the target of this phase, nor did those of six hours: the budget of 30 days is spent six times as fast as it may be.',
  },
  {
    alert: 'PlumblineRetrainTargetsBurn',
    expr: burns(1, ['30d', '3d']),
    wait: '1h',
    severity: 'warning',
    summary: 'retraining is late to {{ $labels.phase }} too often',
    description:
      '{{ $value | humanizePercentage }} of the runs of 30 days did not keep the target of this phase, and those of three days are no better.',
  },
  {
    alert: 'PlumblineAlertDeliveriesFail',
    expr: 'sum by (receiver) (increase(plumbline_alert_deliveries_total{outcome="failed"}[1h])) > 0 or max by (receiver) (plumbline_alert_oldest_waiting_seconds) > 900',
    wait: '0m',
    severity: 'critical',
    summary: 'alerts do not reach {{ $labels.receiver }}',
    description:
      'It has refused one within the last hour, or one has waited for 15 minutes. GET /v1/alerts/deliveries says which, and what it answers.',
  },
  {
    alert: 'PlumblineAlertsFileRefused',
    expr: 'max by (job, instance) (plumbline_alerts_file_problems) > 0',
    wait: '0m',
    severity: 'warning',
    summary: '{{ $labels.instance }} refuses the file of alerts',
    description:
      'It has {{ $value }} problems: the process goes on with the one it had. GET /v1/alerts/receivers says which.',
  },
  {
    alert: 'PlumblineModelFilesRefused',
    expr: 'max by (job, instance) (plumbline_model_file_problems) > 0',
    wait: '0m',
    severity: 'warning',
    summary: '{{ $labels.instance }} refuses the model files',
    description:
      'They have {{ $value }} problems: it goes on with those it had. GET /v1/config says which.',
  },
  {
    alert: 'PlumblineSourceFilesRefused',
    expr: 'max by (job, instance) (plumbline_source_file_problems) > 0',
    wait: '0m',
    severity: 'warning',
    summary: '{{ $labels.instance }} refuses the source files',
    description:
      'They have {{ $value }} problems: it goes on with those it had. GET /v1/config says which.',
  },
  {
    alert: 'PlumblinePriceFileRefused',
    expr: 'max by (job, instance) (plumbline_price_file_problems) > 0',
    wait: '0m',
    severity: 'warning',
    summary: '{{ $labels.instance }} refuses the file of prices',
    description:
      'It has {{ $value }} problems: costs are told by the prices before it. GET /v1/config says which.',
  },
  {
    alert: 'PlumblineCertificateExpires',
    expr: 'min by (job, instance, certificate) (plumbline_certificate_expiry_seconds) < 14 * 86400',
    wait: '15m',
    severity: 'warning',
    summary:
      'the certificate {{ $labels.certificate }} of {{ $labels.instance }} ends in {{ $value | humanizeDuration }}',
    description:
      'Once it has ended, callers of the port refuse it, or servers refuse us. The runbook says which file it is.',
  },
  {
    alert: 'PlumblineDown',
    expr: 'up{job="plumbline"} == 0',
    wait: '2m',
    severity: 'critical',
    summary: '{{ $labels.instance }} does not answer',
    description:
      'It has not answered for two minutes: what it consumes waits, and its endpoint is away.',
  },
]

/** Where the runbook of an alert is; the names of headings are lower case in links. */
const runbookOf = (alert: string) => `docs/operations.md#${alert.toLowerCase()}`

/**
 * Where the model's page and its report are: `plumbline_url` is an external label of Prometheus,
 * without which these are paths.
 */
const PAGES = {
  page: '{{ $externalLabels.plumbline_url }}/models/{{ $labels.model_id | urlquery }}',
  report: '{{ $externalLabels.plumbline_url }}/v1/models/{{ $labels.model_id | urlquery }}/report',
}

/** The rules as Prometheus reads them. */
export function alertRules(): string {
  const rules = RULES.map(({ alert, expr, wait, severity, summary, description }) => ({
    alert,
    expr,
    for: wait,
    labels: { severity },
    annotations: {
      summary,
      description,
      runbook_url: runbookOf(alert),
      ...(summary.includes('model_id') && PAGES),
    },
  }))
  return stringify({ groups: [{ name: 'plumbline', rules }] })
}
