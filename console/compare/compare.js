/** Any two windows, versions, variants, cohorts or references of a model beside one another. */
import { html, render, useState } from '/console/vendor/preact.js'
import { Chart } from '../parts/chart.js'
import { Canary } from './canary.js'
import { FeatureDrawer, Features, Metrics, Others } from './results.js'
import { marksOf, SideForm, sideInWords, sidesOf, spanDragged } from './sides.js'
import { asOfOf, PastNote, PastPicker } from '../parts/as-of.js'
import { asOfQuery, HEADLINES, ownRows, rangeOf, rangeQuery } from '../parts/range.js'
import { request, show } from '../parts/page.js'
import { Empty, Failed, Loading, Tabs, useAddress, useAnswer } from '../parts/ui.js'
import { metricName } from '../parts/words.js'

const id = decodeURIComponent(location.pathname.split('/').at(-2) ?? '')
document.title = `Compare ${id} · Plumbline`
const path = `/v1/models/${encodeURIComponent(id)}`
const page = `/models/${encodeURIComponent(id)}`

const TABS = /** @type {const} */ ([
  ['sides', 'Two sides'],
  ['canary', 'Canary'],
])

const Head = ({ children = '' }) =>
  html`<div class="model-head">
    <p class="quiet small above">
      <a href=${page}><bdi>${id}</bdi></a> / compare
    </p>
    <h1>Compare</h1>
    ${children}
  </div>`

/** What time the sides are told of; canaries are those of now. @param {{ asOf: string | undefined, change: any }} props */
const Past = ({ asOf, change }) =>
  asOf
    ? html`<${PastNote} asOf=${asOf} back=${() => change({ as_of: undefined })} />`
    : html`<p class="quiet facts"><${PastPicker} asOf=${asOf} change=${change} /></p>`

/** The headline over time, over which either side is dragged. */
function Timeline({ rows, metric, range, sides, answer, pick }) {
  const [letter, setLetter] = useState('b')
  const set = (span) => span && pick({ [letter]: span, [`${letter}_reference`]: undefined })
  return html`<div class="panel timeline">
    <div class="bar-row">
      <span class="grow"
        >${metricName(metric)}${' '}<span class="quiet small"
          >drag over windows, or click one, to set a side</span
        ></span
      >
      <div class="ranges" role="group" aria-label="A drag sets">
        ${['a', 'b'].map(
          (one) =>
            html`<button aria-pressed=${letter === one} onClick=${() => setLetter(one)}>
              sets ${one.toUpperCase()}
            </button>`,
        )}
      </div>
    </div>
    <${Chart}
      key=${letter}
      rows=${rows}
      label=${metricName(metric)}
      height=${150}
      range=${range}
      marks=${marksOf(sides, answer)}
      zoom=${(from, to) => set(spanDragged(rows, from, to))}
      pick=${(row) => set(`${row.window_start}/${row.window_end}`)}
    />
  </div>`
}

/** @param {{ model: any, windows: any[], headline: any[], cohorts: any, address: any, change: any, range: any }} props */
function Sides({ model, windows, headline, cohorts, address, change, range }) {
  const sides = sidesOf(address, model, windows, cohorts)
  const query = `${new URLSearchParams(sides)}${asOfQuery(range)}`
  const { answer, error, isStale, again } = useAnswer(
    () => request(`${path}/side-by-side?${query}`),
    [query],
  )
  if (windows.length === 0 && !sides.b)
    return html`<${Empty}>No window has closed yet: there is nothing to compare.<//>`
  const pick = (changes) => change({ ...sides, ...changes })
  const rows = headline.length > 0 ? headline : windows
  const shared = { path, query, address, change }
  return html`<div class="sides">
      ${
        /** @type {const} */ (['a', 'b']).map(
          (letter) =>
            html`<${SideForm}
              letter=${letter}
              sides=${sides}
              windows=${windows}
              model=${model}
              cohorts=${cohorts}
              answer=${answer}
              pick=${pick}
            />`,
        )
      }
    </div>
    ${
      rows.length > 0 &&
      html`<${Timeline}
        rows=${rows}
        metric=${rows[0].metric}
        range=${range}
        sides=${sides}
        answer=${answer}
        pick=${pick}
      />`
    }
    ${error && html`<${Failed} error=${error} retry=${again} />`}
    ${!answer && !error && html`<${Loading} what="both sides: the counts of every feature" tall />`}
    ${
      answer &&
      html`<div class="stack ${isStale ? 'stale' : ''}">
          <p class="said">
            <bdi>${`B, ${sideInWords(sides, 'b')}, beside A, ${sideInWords(sides, 'a')}.`}</bdi>
          </p>
          <${Metrics} answer=${answer} />
          <${Features} answer=${answer} address=${address} change=${change} />
          <${Others} ...${shared} />
        </div>
        ${address.subject && html`<${FeatureDrawer} key=${address.subject} subject=${address.subject} answer=${answer} ...${shared} />`}`
    }`
}

/** What both tabs need: the model, its windows and the cohorts of the newest one. */
async function readAbout(address) {
  const model = await request(path)
  const asOf = asOfOf(address)
  const range = { ...rangeOf({ range: address.range }, model), asOf }
  const of = async (query) =>
    ownRows((await request(`${path}/windows?${query}${rangeQuery(range)}`)).metrics, model)
  const metric = HEADLINES[model.task]?.[0] ?? 'accuracy'
  const [windows, headline, cohorts] = await Promise.all([
    of('family=operations&metric=throughput_per_s&subject='),
    of(`family=performance&metric=${metric}&subject=`),
    request(`${path}/cohorts?metrics=${metric},error_ratio${asOfQuery(range)}`),
  ])
  return { model, range, windows, headline, cohorts }
}

function Page() {
  const [address, change] = useAddress()
  const { answer, error, again } = useAnswer(
    () => readAbout(address),
    [address.range, address.as_of],
  )
  if (error) return html`<${Head} /><${Failed} error=${error} retry=${again} />`
  if (!answer) return html`<${Head} /><${Loading} what="the model" tall />`
  const chosen = address.tab === 'canary' ? 'canary' : 'sides'
  const { asOf } = answer.range
  return html`<${Head}>${chosen === 'sides' && html`<${Past} asOf=${asOf} change=${change} />`}<//>
    <${Tabs}
      tabs=${TABS}
      chosen=${chosen}
      label="What is compared"
      choose=${(tab) => change({ tab: tab === 'sides' ? undefined : tab }, false)}
    />
    <section id="panel" role="tabpanel" aria-labelledby="tab-${chosen}">
      ${
        chosen === 'canary'
          ? html`<${Canary}
              path=${path}
              address=${address}
              change=${change}
              cohorts=${answer.cohorts.cohorts}
            />`
          : html`<${Sides} ...${answer} address=${address} change=${change} />`
      }
    </section>`
}

await show(async (main) => render(html`<${Page} />`, main))
