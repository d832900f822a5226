/** Every feature of a model in one table that is searched and sorted; a row opens the feature. */
import { html } from '/console/vendor/preact.js'
import { request } from '../parts/page.js'
import { asOfQuery, rangeKey } from '../parts/range.js'
import { Badge, Empty, Failed, Loading, SortHead, Spark, useAnswer, WhenSeen } from '../parts/ui.js'
import {
  day,
  metricName,
  number,
  percent,
  plural,
  probability,
  subjectName,
} from '../parts/words.js'

/** @typedef {import('../../schemas/http/console.ts').Feature} Feature */

const GRAVITY = ['alarm', 'warning', 'incomplete', 'ok', 'none']
const SORTS = {
  moved: (a, b) => a.place - b.place,
  name: (a, b) => (a.subject < b.subject ? -1 : 1),
  psi: (a, b) => (b.psi ?? -1) - (a.psi ?? -1),
  p: (a, b) => (a.p_adjusted ?? 2) - (b.p_adjusted ?? 2),
  missing: (a, b) => (b.missing_ratio ?? -1) - (a.missing_ratio ?? -1),
}

/** @param {Feature[]} features @param {string} search @param {string} sort @param {string} only */
function chosenOf(features, search, sort, only) {
  const [by, way] = sort.split(':')
  const wanted = search.toLowerCase()
  const found = features
    .map((feature, place) => ({ ...feature, place }))
    .filter(
      (feature) =>
        (wanted === '' || feature.subject.toLowerCase().includes(wanted)) &&
        (only !== 'moved' || GRAVITY.indexOf(feature.verdict) < 2),
    )
    .toSorted(SORTS[by] ?? SORTS.moved)
  return way === 'up' ? found.toReversed() : found
}

/** @param {{ feature: Feature, open: () => void }} props */
const Row = ({ feature, open }) =>
  html`<tr class="opens" onClick=${open}>
    <td>
      <${Badge}
        verdict=${feature.verdict}
        text=${feature.verdict === 'none' ? 'not tested' : feature.verdict}
      />
    </td>
    <td class="name">
      <button class="link" onClick=${(event) => (event.stopPropagation(), open())}>
        <bdi>${subjectName(feature.subject)}</bdi>
      </button>
      ${feature.metric && feature.verdict !== 'ok' && html`<span class="quiet small"> ${metricName(feature.metric)}</span>`}
    </td>
    <td>
      <${WhenSeen} height="spark-room"
        >${() =>
          html`<${Spark}
            values=${feature.history}
            verdict=${feature.verdict}
            label="PSI of ${feature.subject} over ${feature.history.length} windows"
          />`}<//
      >
    </td>
    <td class="number">${number(feature.psi)}</td>
    <td class="number">${probability(feature.p_adjusted)}</td>
    <td class="number">${percent(feature.missing_ratio)}</td>
  </tr>`

/**
 * @param {{ path: string, family: string, address: any, change: any, range: any, isShown?: (subject:
 *   string) => boolean }} props `isShown` narrows the features; all unless given
 */
export function Features({ path, family, address, change, range, isShown = () => true }) {
  const to = range.to ? `&to=${encodeURIComponent(range.to)}` : ''
  const { answer, error, isStale, again } = useAnswer(
    () => request(`${path}/features?windows=30${to}${asOfQuery(range)}`),
    [rangeKey(range)],
  )
  if (error) return html`<${Failed} error=${error} retry=${again} />`
  if (!answer) return html`<${Loading} what="every feature of the newest window" tall />`
  const all = answer.features.filter(({ subject }) => isShown(subject))
  if (all.length === 0) return html`<${Empty}>No window with such features has closed yet.<//>`
  const sort = address.sort ?? (family === 'quality' ? 'missing:down' : 'moved:down')
  const search = address.search ?? ''
  const features = chosenOf(all, search, sort, address.only ?? '')
  const moved = all.filter((feature) => GRAVITY.indexOf(feature.verdict) < 2).length
  const by = (next) => change({ sort: next }, false)
  return html`<section class=${isStale ? 'stale' : ''} aria-label="Features">
    <div class="bar-row">
      <input
        type="search"
        placeholder="Find a feature"
        aria-label="Find a feature"
        value=${search}
        onInput=${(event) => change({ search: event.target.value }, false)}
      />
      <button
        aria-pressed=${address.only === 'moved'}
        onClick=${() => change({ only: address.only === 'moved' ? undefined : 'moved' }, false)}
      >
        Alarms and warnings <span class="count">${moved}</span>
      </button>
      <span class="quiet grow" aria-live="polite">
        ${plural(features.length, 'feature')}, window to ${day(answer.window_end)}
      </span>
    </div>
    <div class="scroll">
      <table class="features">
        <thead>
          <tr>
            <${SortHead} id="moved" text="Moved most" sort=${sort} choose=${by} />
            <${SortHead} id="name" text="Feature" sort=${sort} choose=${by} />
            <th>PSI, ${plural(answer.ends.length, 'window')}</th>
            <${SortHead} id="psi" text="PSI" sort=${sort} choose=${by} isNumber />
            <${SortHead} id="p" text="Adjusted p" sort=${sort} choose=${by} isNumber />
            <${SortHead} id="missing" text="Missing" sort=${sort} choose=${by} isNumber />
          </tr>
        </thead>
        <tbody>
          ${features.map(
            (feature) =>
              html`<${Row}
                key=${feature.subject}
                feature=${feature}
                open=${() => change({ feature: feature.subject })}
              />`,
          )}
        </tbody>
      </table>
    </div>
    ${features.length === 0 && html`<${Empty}>No feature is called so.<//>`}
  </section>`
}
