/** A report as one page that needs nothing else: no script, no other file, no other host. Pure. */
import { createHash } from 'node:crypto'
import { reportHeadline } from './headline.ts'
import { lineChart, spark } from './line-chart.ts'
import { html, jsonText, Markup } from './markup.ts'
import { missingOf } from './missing.ts'
import type { ReportData, ReportEpisode, ReportValue } from './report-data.ts'
import { STYLE } from './style.ts'
import { verdictOf, tableOf } from './tables.ts'
import { cut, metricName, minute, number, percent, plural } from './words.ts'

/** Characters of a reason in a table. */
const MAX_REASON = 300

const interval = ({ ci_low: low, ci_high: high }: Pick<ReportValue, 'ci_low' | 'ci_high'>) =>
  low === null || high === null ? '–' : `${number(low)} to ${number(high)}`
const count = (n: string | number) => Number(n).toLocaleString('en')

function about(data: ReportData): Markup {
  const { settings } = data
  const facts: [string, string][] = [
    ['Model', data.model_id],
    ['Task', data.task ?? 'not declared'],
    ['Period', `${minute(data.from)} to ${minute(data.to)} UTC, in the time of the events`],
    [
      'Knowledge as of',
      `${minute(data.as_of ?? data.made_at)} UTC${data.as_of === null ? ', when this report was made' : ''}`,
    ],
    ['Made', `${minute(data.made_at)} UTC${data.made_for === null ? '' : ` for ${data.made_for}`}`],
    ['Compared with', `${settings.compared_with}.`],
    ['Alarms', `${settings.set_to}.`],
  ]
  return html`<h1><bdi>${data.model_id}</bdi></h1>
    <p class="quiet">Monitoring report</p>
    ${data.as_of !== null && html`<p class="past">What was known at ${minute(data.as_of)} UTC. Windows, verdicts and acts of later are left out.</p>`}
    ${reportHeadline(data).map((sentence) => html`<p class="lead">${sentence}</p>`)}
    <dl>
      ${facts.map(
        ([name, value]) =>
          html`<dt>${name}</dt>
            <dd>${value}</dd>`,
      )}
    </dl>
    <p class="screen">
      <a href="${data.page}">The model's page</a> · printed on A4, this report is whole.
    </p>`
}

const seriesName = (series: readonly ReportValue[]) => metricName(series[0]!.metric)

function performance({ performance: all, estimates }: ReportData): Markup {
  return html`<h2>Performance over time</h2>
    ${all.length === 0 && html`<p>Nothing is known: no window of the period has labels enough.</p>`}
    ${all.map((series) => {
      const last = series.findLast(({ value }) => value !== null) ?? series.at(-1)!
      return html`<figure>
        <figcaption>
          <b>${seriesName(series)}</b>
          <span
            >${number(last.value)} (${interval(last)}), baseline ${number(last.baseline_value)}
            ${verdictOf(last.verdict)}</span
          >
        </figcaption>
        ${lineChart(
          series.map(
            ({
              window_end: at,
              value,
              ci_low: low,
              ci_high: high,
              baseline_value: baseline,
              verdict,
            }) => ({ at, value, low, high, baseline, verdict }),
          ),
          `${seriesName(series)}, ${plural(series.length, 'window')}; the last ${number(last.value)}`,
        )}
      </figure>`
    })}
    ${all.length > 0 && html`<p class="quiet">Band: interval of each window. Dashed: baseline. ◆ alarm, ▲ warning, ● ok, ○ incomplete.</p>`}
    ${
      estimates.length > 0 &&
      html`<h3>Before labels are in</h3>
        ${tableOf(
          ['Estimate', 'Window to', '#Value', '#Interval', 'Method'],
          estimates.map((row) => [
            metricName(row.metric),
            minute(row.window_end),
            number(row.value),
            interval(row),
            row.method,
          ]),
        )}`
    }`
}

function features({ features: { shown, left_out: leftOut } }: ReportData): Markup {
  return html`<h2>Drift and quality by feature</h2>
    ${shown.length === 0 && html`<p>No feature was compared in the newest window of the period.</p>`}
    ${
      shown.length > 0 &&
      tableOf(
        ['Verdict', 'Feature', 'PSI over time', '#PSI', '#p, adjusted', '#Missing', 'Why'],
        shown.map((row) => [
          verdictOf(row.verdict),
          html`<bdi>${row.subject}</bdi>`,
          spark(row.history, `PSI of ${row.subject} over ${plural(row.history.length, 'window')}`),
          number(row.psi),
          row.p_adjusted === null
            ? '–'
            : row.p_adjusted < 0.0001
              ? '< 0.0001'
              : number(row.p_adjusted),
          percent(row.missing_ratio),
          cut(row.reason, MAX_REASON),
        ]),
      )
    }
    ${leftOut > 0 && html`<p>${plural(leftOut, 'further feature')} that moved less.</p>`}`
}

function fairness({ fairness: { shown, left_out: leftOut } }: ReportData): Markup {
  return html`<h2>Fairness</h2>
    ${shown.length === 0 && html`<p>No group was compared.</p>`}
    ${
      shown.length > 0 &&
      tableOf(
        ['Verdict', 'Group', 'Metric', '#Value', '#Interval', '#Limit', '#Events', 'Window to'],
        shown.map((row) => [
          verdictOf(row.verdict),
          html`<bdi>${row.subject}</bdi>`,
          metricName(row.metric),
          number(row.value),
          interval(row),
          number(row.threshold),
          count(row.n_current),
          minute(row.window_end),
        ]),
      )
    }
    ${leftOut > 0 && html`<p>${plural(leftOut, 'further number')} of groups.</p>`}`
}

const named = ({ alarms }: ReportEpisode) =>
  cut(
    alarms
      .map(({ metric, subject }) => (subject === '' ? metric : `${metric} of ${subject}`))
      .join(', '),
    MAX_REASON,
  )

function episodes({ episodes: { shown, left_out: leftOut } }: ReportData): Markup {
  return html`<h2>Alert episodes, and what people did</h2>
    ${shown.length === 0 && html`<p>None.</p>`}
    ${shown.map(
      (episode) =>
        html`<h3>
            ${verdictOf(episode.severity)} ${minute(episode.since)} to ${minute(episode.until)}:
            ${episode.ended === 'active' ? 'active' : episode.ended === 'by itself' ? 'ended by itself' : episode.ended}
          </h3>
          <p>${plural(episode.windows, 'window')}. ${named(episode)}</p>
          ${
            episode.feedback.length === 0
              ? html`<p class="quiet">Nobody answered it.</p>`
              : html`<ul>
                  ${episode.feedback.map(
                    ({ decision, actor, comment, until, decided_at: at }) =>
                      html`<li>
                        ${minute(at)}: <bdi>${actor}</bdi>,
                        ${decision}${until !== null && ` until ${minute(until)}`}: ${comment}
                      </li>`,
                  )}
                </ul>`
          }`,
    )}
    ${leftOut > 0 && html`<p>${plural(leftOut, 'older episode')}.</p>`}`
}

function runs({ runs: { shown, left_out: leftOut } }: ReportData): Markup {
  return html`<h2>Retraining runs</h2>
    ${shown.length === 0 && html`<p>None.</p>`}
    ${
      shown.length > 0 &&
      tableOf(
        ['When', 'Run', 'Policy', 'Step', 'By', 'Why', 'Entry of the audit log'],
        shown.map((step) => [
          minute(step.at),
          html`<span class="hash">${step.run_id}</span>`,
          step.policy,
          step.action.replace(/^run\./, ''),
          html`<bdi>${step.actor}</bdi>`,
          cut(step.reason, MAX_REASON),
          html`<span class="hash">${step.sequence}, ${step.hash.slice(0, 16)}</span>`,
        ]),
      )
    }
    ${leftOut > 0 && html`<p>${plural(leftOut, 'older step')}.</p>`}`
}

/** Windows that are told one by one; all are in the data of the report. */
const MAX_LISTED = 60

function windows({ windows: { shown } }: ReportData): Markup {
  const listed = shown.slice(-MAX_LISTED).toReversed()
  return html`<h2>Windows, labels and completeness</h2>
    ${
      listed.length > 0 &&
      tableOf(
        [
          'Window to',
          'Worst',
          '#Events',
          '#Labelled',
          '#Label age',
          '#Came',
          '#Revision',
          'Model file',
          'Evaluated',
        ],
        listed.map((row) => [
          minute(row.window_end),
          verdictOf(row.worst),
          count(row.events),
          count(row.labelled),
          percent(row.maturity),
          percent(row.completeness),
          String(row.revision),
          html`<span class="hash">${row.policy_revision}</span>`,
          minute(row.computed_at),
        ]),
      )
    }
    <p class="quiet">
      Label age: the age of the window's labels as a share of the label horizon. Came: the share of
      the sent events that came.
    </p>
    ${shown.length > listed.length && html`<p>The newest ${listed.length} of ${plural(shown.length, 'window')}; the data of this report has all.</p>`}`
}

function settings({ settings: { revision, in_force: inForce, sha256 } }: ReportData): Markup {
  return html`<h2>Configuration in force</h2>
    <dl>
      <dt>Model file</dt>
      <dd>revision <span class="hash">${revision}</span> when this report was made</dd>
      <dt>SHA-256</dt>
      <dd class="hash">${sha256}</dd>
      ${Object.entries(inForce).map(
        ([name, value]) =>
          html`<dt>${name}</dt>
            <dd class="hash">${typeof value === 'string' ? value : JSON.stringify(value)}</dd>`,
      )}
    </dl>`
}

/** The page of a report, with its data as JSON in an element that no browser runs. */
export function renderReport(data: ReportData): string {
  const json = jsonText(data)
  const sum = createHash('sha256').update(json.source).digest('hex')
  // Plain texts: both are hashed to the letter, and nothing may lay them out.
  const style = new Markup(`<style>${STYLE}</style>`)
  const held = new Markup(
    `<script type="application/json" id="report-data">${json.source}</script>`,
  )
  const missing = missingOf(data)
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>
          ${data.model_id}, ${data.from.slice(0, 10)} to ${data.to.slice(0, 10)} · Plumbline
        </title>
        <link rel="icon" href="data:," />
        ${style}
      </head>
      <body>
        <main>
          ${about(data)}
          <h2>What is missing</h2>
          ${
            missing.length === 0
              ? html`<p>Nothing that is known to be.</p>`
              : html`<ul>
                  ${missing.map((sentence) => html`<li>${sentence}</li>`)}
                </ul>`
          }
          ${performance(data)}${features(data)}${fairness(data)}${episodes(data)}${runs(data)}${windows(data)}${settings(data)}
          <h2>Data</h2>
          <p>
            The element <code>report-data</code> of this file holds everything above as JSON. Its
            SHA-256 is <span class="hash">${sum}</span>.
          </p>
        </main>
        ${held}
      </body>
    </html> `.source
}
