/** The cohorts that a search of all found to be worst, and one cohort over time. */
import { html } from '/console/vendor/preact.js'
import { Chart } from '../parts/chart.js'
import { Drawer } from '../parts/drawer.js'
import { domainOf, IntervalPlot } from '../parts/interval.js'
import { ownRows } from '../parts/range.js'
import { request } from '../parts/page.js'
import { Badge, Empty, Failed, Loading, useAnswer } from '../parts/ui.js'
import { cohortOf, day, metricName, number, plural, probability, sentence } from '../parts/words.js'

/** @typedef {import('../../schemas/http/cohorts.ts').CohortsAnswer} CohortsAnswer */

/** @param {{ searched: CohortsAnswer['searched'] }} props */
export function Worst({ searched }) {
  const { worst, verdict } = searched
  const domain = domainOf(
    worst.flatMap((one) => [one.ci_low, one.ci_high, one.baseline_gap]),
    [0],
  )
  return html`<section class="panel" aria-labelledby="worst">
    <h2 id="worst">
      Worst segments
      <span class="quiet"
        >every value of every attribute and feature, corrected for the search</span
      >
    </h2>
    ${
      !searched.is_asked &&
      html`<${Empty}>
        The model file does not ask for it: write ${' '}<code
          >cohorts: ${'{'} search: ${'{ }'} }</code
        >.
      <//>`
    }
    ${
      searched.is_asked &&
      verdict === null &&
      html`<p class="quiet">
        Not known of this window: no label has come, or no cohort is large enough.
      </p>`
    }
    ${
      verdict !== null &&
      html`<p>
        <${Badge} verdict=${verdict} text=${verdict === 'none' ? 'no verdict' : verdict} />
        ${' '}<bdi>${sentence(searched.reason)}</bdi>
        ${searched.p_adjusted !== null && html`<span class="quiet"> Corrected p ${probability(searched.p_adjusted)}.</span>`}
      </p>`
    }
    ${
      worst.length > 0 &&
      html`<ul class="worst">
          ${worst.map(
            (one) =>
              html`<li>
                <div>
                  <strong><bdi>${one.name}</bdi></strong>
                  <p class="quiet small"><bdi>${one.reason}</bdi></p>
                </div>
                <${IntervalPlot}
                  value=${one.gap}
                  low=${one.ci_low}
                  high=${one.ci_high}
                  domain=${domain}
                  line=${0}
                  verdict="alarm"
                  label="Loss of ${one.name} beyond that of all others"
                />
                <p class="small number">
                  <b>+${number(one.gap)}</b>
                  <span class="quiet"
                    >${`${number(one.ci_low)} to ${number(one.ci_high)}, n ${one.n.toLocaleString('en')}`}</span
                  >
                </p>
              </li>`,
          )}
        </ul>
        <p class="quiet small">
          Mean loss beyond that of all others; the dashed line is none. Intervals hold for all that
          were searched together.
        </p>`
    }
  </section>`
}

/** One metric of a cohort over its windows. */
function History({ path, model, cohort, metric, past }) {
  const query = new URLSearchParams({ metric, subject: '' })
  if (cohort.slice_key) query.set('slice', `${cohort.slice_key}:${cohort.slice_value}`)
  if (cohort.model_version) query.set('model_version', cohort.model_version)
  if (cohort.variant) query.set('variant', cohort.variant)
  const { answer, error, again } = useAnswer(
    () => request(`${path}/windows?${query}${past}`),
    [query.toString(), past],
  )
  if (error) return html`<${Failed} error=${error} retry=${again} />`
  if (!answer) return html`<${Loading} what="its windows" tall />`
  const rows = ownRows(answer.metrics, model)
  const last = rows.at(-1)
  if (!last) return html`<${Empty}>No window has this number of it.<//>`
  return html`<p class="standing small">
      <${Badge}
        verdict=${last.verdict}
        text=${last.verdict === 'none' ? 'informs' : last.verdict}
      />
      ${`${metricName(metric)} ${number(last.value)}`}
      <span class="quiet">
        ${` window to ${day(last.window_end)}, ${plural(Number(last.n_current), 'case')}. ${last.reason}`}
      </span>
    </p>
    <${Chart} rows=${rows} label="${metricName(metric)} of the cohort" height=${200} />`
}

/** A cohort over the page: its history, and the way to what differs of it. */
export function CohortDrawer({ path, page, model, answer, address, change, past }) {
  const close = () => change({ cohort: undefined, metric: undefined })
  const cohort = cohortFrom(address.cohort)
  const metric = address.metric ?? answer.metrics[0]?.metric ?? ''
  return html`<${Drawer} title=${cohortOf(cohort)} close=${close}>
    <${History} path=${path} model=${model} cohort=${cohort} metric=${metric} past=${past} />
    <p class="go">
      <a href="${compareLink(page, cohort, answer)}${past}">Compare it with its baseline</a>
    </p>
  <//>`
}

/** @param {string} text */
function cohortFrom(text) {
  /** @type {unknown} */
  let parts
  try {
    parts = JSON.parse(text)
  } catch {
    parts = []
  }
  const [model_version = '', variant = '', slice_key = '', slice_value = ''] = (
    Array.isArray(parts) ? parts : []
  ).map(String)
  return { model_version, variant, slice_key, slice_value }
}

/** The page that holds a cohort of the window against the same of the baseline. */
function compareLink(page, cohort, answer) {
  const query = new URLSearchParams({ b: `${answer.window_start}/${answer.window_end}` })
  const set = (name, value, sides) => {
    if (value) for (const side of sides) query.set(`${side}_${name}`, value)
  }
  set('version', cohort.model_version, ['b'])
  set('variant', cohort.variant, ['b'])
  set('slice', cohort.slice_key && `${cohort.slice_key}:${cohort.slice_value}`, ['a', 'b'])
  return `${page}/compare?${query}`
}
