/** A candidate beside the champion: what may be said so far, how it came to that, what would decide. */
import { html } from '/console/vendor/preact.js'
import { Chart } from '../parts/chart.js'
import { request } from '../parts/page.js'
import { Badge, Empty, Failed, Loading, useAnswer } from '../parts/ui.js'
import { day, metricName, number, percent, plural, probability, sentence } from '../parts/words.js'

/** @typedef {import('typebox').Static<typeof import('../../schemas/http/canary.ts').CanaryAnswer>} Canary */
/** @typedef {Canary['metrics'][number]} Metric */

const LOOKS = 24
/** @type {Record<string, { verdict: import('../parts/words.js').Verdict, text: string }>} */
const DECISIONS = {
  better: { verdict: 'ok', text: 'better' },
  worse: { verdict: 'alarm', text: 'worse' },
  undecided: { verdict: 'incomplete', text: 'undecided' },
  invalid: { verdict: 'warning', text: 'invalid' },
}

/** Which arms may be compared: versions, or variants where there are some. */
function armsOf(cohorts, by) {
  const names = cohorts.map((one) => (by === 'variant' ? one.variant : one.model_version))
  return [...new Set(names.filter(Boolean))].toSorted()
}

/** @param {{ address: any, change: any, cohorts: any[] }} props */
function ArmsForm({ address, change, cohorts }) {
  const by = address.by ?? 'model_version'
  const arms = armsOf(cohorts, by)
  const arm = (name, text) =>
    html`<label>
      <span>${text}</span>
      <input
        name=${name}
        list="arms"
        autocomplete="off"
        value=${address[name] ?? ''}
        onChange=${(event) => change({ [name]: event.target.value })}
      />
    </label>`
  return html`<div class="choices">
    <label>
      <span>Told apart by</span>
      <select
        name="by"
        onChange=${(event) => change({ by: event.target.value === 'variant' ? 'variant' : undefined, champion: undefined, candidate: undefined })}
      >
        <option value="model_version" selected=${by === 'model_version'}>version</option>
        <option value="variant" selected=${by === 'variant'}>variant</option>
      </select>
    </label>
    <datalist id="arms">${arms.map((name) => html`<option value=${name}></option>`)}</datalist>
    ${arm('champion', 'Champion')} ${arm('candidate', 'Candidate')}
    <label>
      <span>Share meant for it</span>
      <input
        name="share"
        type="number"
        min="0.001"
        max="0.999"
        step="0.001"
        placeholder="not declared"
        value=${address.share ?? ''}
        onChange=${(event) => change({ share: event.target.value || undefined })}
      />
    </label>
    <label class="check">
      <input
        type="checkbox"
        name="paired"
        checked=${address.paired === 'true'}
        onChange=${(event) => change({ paired: event.target.checked ? 'true' : undefined })}
      />
      <span>both answered the same requests</span>
    </label>
  </div>`
}

/** What a look says, as a window that a chart draws. @param {Canary} answer @param {Metric} metric */
function rowsOf(answer, metric) {
  const looks = answer.looks ?? []
  return looks.flatMap((look, i) => {
    const found = look.metrics.find((one) => one.metric === metric.metric)
    if (!found) return []
    const { decision, difference, ci_low, ci_high } = found
    return [
      {
        window_start: i === 0 ? answer.from : looks[i - 1].at,
        window_end: look.at,
        value: difference,
        ...{ ci_low, ci_high, baseline_value: 0, threshold: null },
        verdict: decision === 'worse' ? 'alarm' : decision === 'better' ? 'ok' : 'none',
        reason: `${look.n_candidate.toLocaleString('en')} units of the candidate, ${look.n_champion.toLocaleString('en')} of the champion: ${decision}`,
        ...{ n_current: String(look.n_candidate), label_maturity: null, completeness: null },
        ...{ revision: 1, episode_id: '' },
      },
    ]
  })
}

/** What decided, or would. @param {Canary} answer @param {Metric} metric */
export function whatDecides(answer, metric) {
  const { decision, difference, ci_low: low, ci_high: high, units_to_decide: units } = metric
  const n = Math.min(metric.n_champion, metric.n_candidate)
  if (decision !== 'undecided') {
    const looks = answer.looks ?? []
    const since = looks.find((_, i) =>
      looks
        .slice(i)
        .every(
          (look) => look.metrics.find((one) => one.metric === metric.metric)?.decision === decision,
        ),
    )
    return `The interval has left 0${since ? ` since ${day(since.at)}` : ''}: ${decision}, and more units would seldom take it back.`
  }
  if (n === 0) return 'One of the arms has no such number yet.'
  if (low === null || high === null)
    return `The interval is still without an end: ${plural(n, 'unit')} are too few.`
  if (difference === null || units === null)
    return 'There is no difference: nothing would decide, whatever came.'
  const more = Math.max(0, units - n)
  return `It decides when the interval leaves 0. Were the difference to stay at ${number(difference)}, that takes about ${plural(units, 'unit')} of the smaller arm: ${more.toLocaleString('en')} more.`
}

/** @param {{ answer: Canary, metric: Metric }} props */
function MetricFigure({ answer, metric }) {
  const rows = rowsOf(answer, metric)
  const { verdict, text } = DECISIONS[metric.decision]
  return html`<figure>
    <figcaption>
      <span>${metricName(metric.metric)}</span>
      <span><${Badge} verdict=${verdict} text=${text} /></span>
    </figcaption>
    <p class="small quiet">
      candidate <b>${number(metric.candidate)}</b>, champion <b>${number(metric.champion)}</b>,
      difference <b>${number(metric.difference)}</b>
      ${metric.ci_low !== null && ` (${number(metric.ci_low)} to ${number(metric.ci_high)} at ${percent(metric.ci_level)})`}
    </p>
    ${rows.length > 1 && html`<${Chart} rows=${rows} label="Difference of ${metricName(metric.metric)} over time" height=${150} />`}
    <p class="small">${whatDecides(answer, metric)}</p>
  </figure>`
}

/** What decided, by names that people know; why it is invalid as it was said. @param {Canary} answer */
function reasonOf({ decision, reason, metrics }) {
  if (decision === 'invalid') return sentence(reason)
  const of = (one) =>
    metrics.filter((metric) => metric.decision === one).map(({ metric }) => metricName(metric))
  const told = ['worse', 'better'].flatMap((one) =>
    of(one).length > 0 ? [`${one}: ${of(one).join(', ')}`] : [],
  )
  return told.length > 0 ? sentence(told.join('; ')) : 'No metric is better or worse yet.'
}

/** @param {{ answer: Canary }} props */
function Result({ answer }) {
  const { verdict, text } = DECISIONS[answer.decision]
  const { units } = answer
  const ordered = answer.metrics.toSorted(
    (a, b) => Number(a.decision === 'undecided') - Number(b.decision === 'undecided'),
  )
  return html`<p class="standing">
      <${Badge} verdict=${verdict} text=${text} />
      ${reasonOf(answer)}
    </p>
    <dl class="evidence" aria-label="What it rests on">
      <div>
        <dt>Candidate</dt>
        <dd><b>${units.candidate.toLocaleString('en')}</b> <span class="quiet">units</span></dd>
      </div>
      <div>
        <dt>Champion</dt>
        <dd><b>${units.champion.toLocaleString('en')}</b> <span class="quiet">units</span></dd>
      </div>
      <div>
        <dt>Served by both</dt>
        <dd><b>${units.crossed.toLocaleString('en')}</b> <span class="quiet">left out</span></dd>
      </div>
      <div>
        <dt>Days that both were there</dt>
        <dd><b>${day(answer.from)}</b> <span class="quiet">to ${day(answer.to)}</span></dd>
      </div>
      <div>
        <dt>Split as declared</dt>
        <dd>
          ${answer.sample_ratio_p === null ? html`<b>not checked</b> <span class="quiet">no share declared</span>` : html`<b>p = ${probability(answer.sample_ratio_p)}</b>`}
        </dd>
      </div>
      <div>
        <dt>Any wrong decision</dt>
        <dd>
          <b>${percent(answer.alpha)}</b>
          <span class="quiet">at most, however often one looks</span>
        </dd>
      </div>
    </dl>
    ${answer.note && html`<p class="quiet small">${sentence(answer.note)}.</p>`}
    <p class="key">
      <span class="swatch line"></span> candidate less champion, with its confidence sequence
      <span class="swatch dash"></span> no difference
    </p>
    <div class="charts">
      ${ordered.map((metric) => html`<${MetricFigure} key=${metric.metric} answer=${answer} metric=${metric} />`)}
    </div>`
}

/** @param {{ path: string, query: string }} props */
function Asked({ path, query }) {
  const { answer, error, isStale, again } = useAnswer(
    () => request(`${path}/canary?${query}`),
    [query],
  )
  if (error) return html`<${Failed} error=${error} retry=${again} />`
  if (!answer) return html`<${Loading} what="the canary: every metric of both versions" tall />`
  return html`<div class=${isStale ? 'stale' : ''}><${Result} answer=${answer} /></div>`
}

/** @param {{ path: string, address: any, change: any, cohorts: any[] }} props */
export function Canary({ path, address, change, cohorts }) {
  const arms = armsOf(cohorts, address.by ?? 'model_version')
  const champion = address.champion ?? arms.at(-2)
  const candidate = address.candidate ?? (arms.length > 1 ? arms.at(-1) : undefined)
  const shown = { ...address, champion, candidate }
  const query = new URLSearchParams({
    champion: champion ?? '',
    candidate: candidate ?? '',
    looks: String(LOOKS),
  })
  for (const name of ['by', 'share', 'paired']) if (address[name]) query.set(name, address[name])
  return html`<section class="panel" aria-labelledby="canary">
    <h2 id="canary">A candidate beside the champion</h2>
    <${ArmsForm} address=${shown} change=${change} cohorts=${cohorts} />
    ${
      champion && candidate
        ? html`<${Asked} path=${path} query=${query.toString()} />`
        : html`<${Empty}>
            One ${address.by === 'variant' ? 'variant' : 'version'} alone answered in this window,
            if any. Name a champion and a candidate that answered on the same days.
          <//>`
    }
  </section>`
}
