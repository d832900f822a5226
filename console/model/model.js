/**
 * The page of one model: what is wrong, since when, what it did to performance, and the acts that
 * end it.
 */
import { html, render, useEffect, useState } from '/console/vendor/preact.js'
import { request, show } from '../parts/page.js'
import { useLive } from '../parts/live.js'
import { Alarms } from './alarms.js'
import { asOfOf, PastNote, PastPicker } from '../parts/as-of.js'
import { asOfQuery, rangeKey, rangeOf, rangeQuery } from '../parts/range.js'
import { Headline } from './headline.js'
import { ActiveThen } from './past.js'
import { Answers } from './answers.js'
import { Panel } from './tabs.js'
import { FeatureDrawer } from './feature.js'
import { Badge, Failed, Loading, Tabs, useAddress, useAnswer } from '../parts/ui.js'
import { ago, day, HEALTH, sentence, wholeDuration } from '../parts/words.js'

/** @typedef {import('../../schemas/http/drift.ts').ModelAnswer} ModelAnswer */

const id = decodeURIComponent(location.pathname.split('/').at(-1) ?? '')
document.title = `${id} · Plumbline`
const path = `/v1/models/${encodeURIComponent(id)}`

const TABS = /** @type {const} */ ([
  ['performance', 'Performance'],
  ['drift', 'Drift'],
  ['quality', 'Data quality'],
  ['fairness', 'Fairness'],
  ['operations', 'Operations'],
  ['feedback', 'Feedback'],
])

/**
 * A language model begins with its answers: what judges them, what they cost and how fast they are.
 * Performance is for models whose labels are classes or numbers.
 */
const LLM_TABS = /** @type {const} */ ([
  ['answers', 'Answers'],
  ['drift', 'Drift'],
  ['quality', 'Data quality'],
  ['operations', 'Operations'],
  ['feedback', 'Feedback'],
  ['performance', 'Performance'],
  ['fairness', 'Fairness'],
])

/** Whether a metric tells how many labels came, and when, not what they say. */
const isOfLabels = (metric) => metric.startsWith('label_')

/** Families that a language model may have nothing of: their tabs are there where it has. */
async function familiesOf(range) {
  const found = await Promise.all(
    ['performance', 'fairness'].map(async (family) => {
      const { metrics } = await request(
        `${path}/windows?family=${family}&newest=true${rangeQuery(range)}`,
      )
      const says = ({ metric, value }) => value !== null && !isOfLabels(metric)
      return metrics.some(says) ? [family] : []
    }),
  )
  return found.flat()
}

/** The tabs of a model. @param {{ model: ModelAnswer, range: any, chosen: string | undefined }} props */
function useTabs({ model, range, chosen }) {
  const isLanguage = model?.task === 'llm'
  const { answer } = useAnswer(
    async () => /** @type {string[]} */ (isLanguage ? await familiesOf(range) : []),
    [isLanguage, isLanguage ? rangeKey(range) : ''],
  )
  if (!isLanguage) return TABS
  const isThere = (id) =>
    (id !== 'performance' && id !== 'fairness') || answer?.includes(id) || id === chosen
  return LLM_TABS.filter(([id]) => isThere(id))
}

/** Leads to the report, and says that it is being made while it is. @param {{ href: string }} props */
function ReportLink({ href }) {
  const [isMaking, setMaking] = useState(false)
  useEffect(() => {
    // The page comes back as it was left.
    const stop = () => setMaking(false)
    addEventListener('pageshow', stop)
    return () => removeEventListener('pageshow', stop)
  }, [])
  const follow = (event) => !event.ctrlKey && !event.metaKey && !event.shiftKey && setMaking(true)
  return html`<a href=${href} onClick=${follow}>Report</a>
    ${isMaking && html`<span class="quiet" role="status">Making the report: every window of the range is read …</span>`}`
}

/** @param {{ model: ModelAnswer, range: any, change: any }} props */
function Head({ model, range, change }) {
  const baseline = model.references.find((reference) => reference.baseline)?.name
  const then = asOfQuery(range).replace('&', '?')
  const { refuted_per_week: refuted, budget_per_week: budget } = model.alarms
  return html`<div class="model-head">
    <h1><bdi>${id}</bdi></h1>
    ${
      range.asOf
        ? html`<${PastNote} asOf=${range.asOf} back=${() => change({ as_of: undefined })} />`
        : html`<p class="standing">
            <${Badge} verdict=${HEALTH[model.health]} text=${model.health} />
            ${sentence(model.headline)}
          </p>`
    }
    <p class="quiet facts">
      <span>${model.task ?? 'task not declared'}</span>
      <span>windows of ${model.windows.size}</span>
      ${
        model.watermark &&
        html`<span title="${day(model.watermark)} UTC"
          >events up to ${day(model.watermark)} (${ago(model.watermark, Date.now())})</span
        >`
      }
      <span>${baseline ? `evaluated against ${baseline}` : 'no baseline'}</span>
      <span title=${model.label_horizon.says}
        >${
          model.label_horizon.source === 'none'
            ? 'no label horizon'
            : `labels within ${wholeDuration(model.label_horizon.horizon_ms)}${model.label_horizon.source === 'learned' ? ' (learned)' : ''}`
        }</span
      >
      <span title="Refuted episodes are those that somebody called normal or no problem"
        >${refuted === null ? `false-alarm budget ${budget} a week` : `${Number(refuted.toFixed(2))} of ${budget} false alarms a week`}</span
      >
    </p>
    <nav class="go" aria-label="More of this model">
      <a href="/models/${encodeURIComponent(id)}/compare${then}">Compare</a>
      <a href="/models/${encodeURIComponent(id)}/slices${then}">Slices and fairness</a>
      <${ReportLink} href="${path}/report?${rangeQuery(range).slice(1)}" />
      <a href="/models/${encodeURIComponent(id)}/settings">Settings</a>
      <a href="/models/${encodeURIComponent(id)}/policy">Policy</a>
      <${PastPicker} asOf=${range.asOf} change=${change} />
      <a href="${path}/card?format=html">Model card</a>
    </nav>
  </div>`
}

function Page() {
  const [address, change] = useAddress()
  const [stamp, setStamp] = useState(0)
  const [turn, setTurn] = useState(0)
  const asOf = asOfOf(address)
  useLive({ modelId: id, refresh: () => setTurn((n) => n + 1), isOn: !asOf })
  const about = useAnswer(() => request(path), [turn])
  const alarms = useAnswer(
    () => request(`/v1/alarms?model_id=${encodeURIComponent(id)}`),
    [stamp, turn],
  )
  if (about.error)
    return html`<h1><bdi>${id}</bdi></h1>
      <${Failed} error=${about.error} retry=${about.again} />`
  const model = about.answer
  if (!model)
    return html`<h1><bdi>${id}</bdi></h1>
      <${Loading} what="the model" tall />`
  return html`<${Known}
    ...${{ model, address, change, alarms }}
    range=${{ ...rangeOf(address, model), asOf, turn }}
    decided=${() => setStamp(stamp + 1)}
  />`
}

/** The page of a model that is known. */
function Known({ model, address, change, range, alarms, decided }) {
  const shared = { path, model, address, change, range }
  const tabs = useTabs({ model, range, chosen: address.tab })
  const chosen = address.tab ?? tabs[0][0]
  const isAnswers = chosen === 'answers'
  return html`<${Head} model=${model} range=${range} change=${change} />
    <div class="top">
      <${Headline} ...${shared} />
      ${
        range.asOf
          ? html`<${ActiveThen} path=${path} range=${range} />`
          : html`<${Alarms} alarms=${alarms} decided=${decided} change=${change} />`
      }
    </div>
    <${Tabs}
      tabs=${tabs}
      chosen=${chosen}
      label="Families of metrics"
      choose=${(tab) => change({ tab: tab === tabs[0][0] ? undefined : tab, sort: undefined }, false)}
    />
    <section id="panel" role="tabpanel" aria-labelledby="tab-${chosen}">
      ${isAnswers ? html`<${Answers} ...${shared} />` : html`<${Panel} key=${chosen} family=${chosen} ...${shared} />`}
    </section>
    ${address.feature && html`<${FeatureDrawer} key=${address.feature} subject=${address.feature} ...${shared} />`}`
}

await show(async (main) => render(html`<${Page} />`, main))
