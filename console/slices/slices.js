/**
 * Page of slices: in which parts of the predictions a model is worse, and how differently groups
 * are treated.
 */
import { html, render } from '/console/vendor/preact.js'
import { asOfOf, PastNote, PastPicker } from '../parts/as-of.js'
import { request, show } from '../parts/page.js'
import { asOfQuery } from '../parts/range.js'
import { Heat, Intersections, WindowPicker } from './heat.js'
import { Fairness } from './fairness.js'
import { CohortDrawer, Worst } from './worst.js'
import { Empty, Failed, Loading, Tabs, useAddress, useAnswer } from '../parts/ui.js'
import { plural } from '../parts/words.js'

const id = decodeURIComponent(location.pathname.split('/').at(-2) ?? '')
document.title = `Slices of ${id} · Plumbline`
const path = `/v1/models/${encodeURIComponent(id)}`
const page = `/models/${encodeURIComponent(id)}`

const TABS = /** @type {const} */ ([
  ['slices', 'Slices'],
  ['fairness', 'Fairness'],
])

const Head = ({ children = '' }) =>
  html`<div class="model-head">
    <p class="quiet small above">
      <a href=${page}><bdi>${id}</bdi></a> / slices and fairness
    </p>
    <h1>Slices and fairness</h1>
    ${children}
  </div>`

function Page() {
  const [address, change] = useAddress()
  const asOf = asOfOf(address)
  const past = asOfQuery({ asOf })
  const query = `${address.to ? `&to=${encodeURIComponent(address.to)}` : ''}${past}`.replace(
    '&',
    '?',
  )
  const about = useAnswer(() => request(path), [])
  const { answer, error, isStale, again } = useAnswer(
    () => request(`${path}/cohorts${query}`),
    [query],
  )
  const failed = about.error ?? error
  if (failed)
    return html`<${Head} /><${Failed} error=${failed} retry=${() => (about.again(), again())} />`
  const model = about.answer
  if (!answer || !model)
    return html`<${Head} /><${Loading} what="the numbers of every cohort" tall />`
  if (!answer.window_end)
    return html`<${Head}
        >${asOf && html`<${PastNote} asOf=${asOf} back=${() => change({ as_of: undefined })} />`}<//
      >
      <${Empty}>
        ${asOf ? 'No window had been evaluated by then' : 'No window has closed yet'}: there are no
        cohorts to look at.
      <//>`
  const chosen = address.tab === 'fairness' ? 'fairness' : 'slices'
  const shared = { path, page, model, answer, address, change, past }
  return html`<${Head}>
      ${asOf && html`<${PastNote} asOf=${asOf} back=${() => change({ as_of: undefined })} />`}
      <p class="quiet facts">
        <${WindowPicker} answer=${answer} change=${change} />
        <span
          >${`${plural(answer.cohorts[0]?.events ?? 0, 'event')}, ${plural(answer.cohorts[0]?.labelled ?? 0, 'label')}`}</span
        >
        <span>${plural(Math.max(0, answer.cohorts.length - 1 + answer.left_out), 'cohort')}</span>
        <${PastPicker} asOf=${asOf} change=${(changes) => change({ ...changes, to: undefined })} />
      </p>
    <//>
    <${Tabs}
      tabs=${TABS}
      chosen=${chosen}
      label="Slices or fairness"
      choose=${(tab) => change({ tab: tab === 'slices' ? undefined : tab }, false)}
    />
    <section
      id="panel"
      role="tabpanel"
      aria-labelledby="tab-${chosen}"
      class=${isStale ? 'stale' : ''}
    >
      ${
        chosen === 'fairness'
          ? html`<${Fairness} ...${shared} />`
          : html`<div class="stack">
              <${Worst} searched=${answer.searched} />
              <${Heat} ...${shared} />
              <${Intersections} ...${shared} />
            </div>`
      }
    </section>
    ${address.cohort && html`<${CohortDrawer} key=${address.cohort} ...${shared} />`}`
}

await show(async (main) => render(html`<${Page} />`, main))
