/** What two sides are beside one another: every number, every feature, and others' numbers. */
import { html } from '/console/vendor/preact.js'
import { DistributionView, movementOf, SmallPicture } from '../parts/distribution.js'
import { Drawer } from '../parts/drawer.js'
import { domainOf, IntervalPlot, STANDINGS, WithInterval } from '../parts/interval.js'
import { request } from '../parts/page.js'
import { Badge, Empty, Failed, Loading, SortHead, useAnswer } from '../parts/ui.js'
import {
  metricName,
  number,
  percent,
  plural,
  probability,
  sentence,
  subjectName,
} from '../parts/words.js'

/** @typedef {import('../../schemas/http/side-by-side.ts').SideBySideAnswer} Beside */
/** @typedef {import('../../schemas/http/side-by-side.ts').BothSides} BothSides */
/** @typedef {import('../../schemas/http/side-by-side.ts').FeatureBeside} FeatureBeside */

const ORDER = ['worse', 'differs', 'better', 'alike', 'unknown']

/** Sizes of A and of B. @param {number} a @param {number} b */
const bothSizes = (a, b) => `${a.toLocaleString('en')} / ${b.toLocaleString('en')}`

/** One number of both sides. @param {{ row: BothSides }} props */
function Row({ row }) {
  const { a, b, difference, difference_low: low, difference_high: high } = row
  const { verdict, text } = STANDINGS[row.standing]
  const isCertain = row.rests_on === 'bounds'
  return html`<tr>
    <th scope="row">
      ${metricName(row.metric)}
      ${row.worse === 1 && html`<span class="quiet small"> less is better</span>`}
    </th>
    <td class="number" title=${plural(a.n, 'case')}>
      <${WithInterval} value=${a.value} low=${a.ci_low} high=${a.ci_high} />
    </td>
    <td class="number" title=${plural(b.n, 'case')}>
      <${WithInterval} value=${b.value} low=${b.ci_low} high=${b.ci_high} />
    </td>
    <td class="number">
      <${WithInterval} value=${difference} low=${low} high=${high} />
    </td>
    <td class="plot-cell">
      ${
        difference !== null &&
        low !== null &&
        html`<${IntervalPlot}
          value=${difference}
          low=${low}
          high=${high}
          line=${0}
          domain=${domainOf([low, high, -low, -(high ?? 0)], [0])}
          verdict=${verdict}
          label="Difference of ${metricName(row.metric)}"
        />`
      }
    </td>
    <td>
      <${Badge} verdict=${verdict} text=${text} />
      ${isCertain && html`<span class="quiet small" title="What the counts leave open: no chance is in it"> certain</span>`}
      ${row.reason && html`<span class="quiet small why"> ${sentence(row.reason)}.</span>`}
    </td>
    <td class="number quiet">${bothSizes(a.n, b.n)}</td>
  </tr>`
}

/** Every number of both sides. @param {{ answer: Beside }} props */
export function Metrics({ answer }) {
  const { metrics, shared } = answer
  const ordered = metrics.toSorted((x, y) => ORDER.indexOf(x.standing) - ORDER.indexOf(y.standing))
  const told = ORDER.slice(0, 3).map((one) => [
    one,
    metrics.filter(({ standing }) => standing === one).length,
  ])
  return html`<section class="panel" aria-labelledby="numbers">
    <h2 id="numbers">
      Every number ${' '}<span class="quiet">
        ${
          told
            .filter(([, count]) => count)
            .map(([one, count]) => `${count} ${one}`)
            .join(', ') || 'no difference shown'
        }
      </span>
    </h2>
    ${
      shared &&
      html`<p class="note">
        <${Badge} verdict="incomplete" text="same events" /> Both sides may hold the same events, so
        that their difference has no interval. Compare spans, versions, variants or values of one
        slice that exclude each other.
      </p>`
    }
    ${
      metrics.length === 0
        ? html`<${Empty}>Neither side has a number.<//>`
        : html`<div class="scroll" tabindex="0" role="region" aria-label="Numbers of both sides">
              <table class="beside-table">
                <thead>
                  <tr>
                    <th>Number</th>
                    <th class="number">A</th>
                    <th class="number">B</th>
                    <th class="number">B − A</th>
                    <th><span class="hidden">Interval of the difference</span></th>
                    <th>B beside A</th>
                    <th class="number">Cases A / B</th>
                  </tr>
                </thead>
                <tbody>
                  ${ordered.map((row) => html`<${Row} key=${row.metric} row=${row} />`)}
                </tbody>
              </table>
            </div>
            <p class="quiet small">
              Intervals of 95 %, each number by itself: of twenty numbers that do not differ one is
              called different by chance.
            </p>`
    }
  </section>`
}

const SORTS = {
  moved: (x, y) => x.place - y.place,
  name: (x, y) => (x.subject < y.subject ? -1 : 1),
  ks: (x, y) => (y.ks?.value ?? -1) - (x.ks?.value ?? -1),
  js: (x, y) => (y.js_distance?.value ?? -1) - (x.js_distance?.value ?? -1),
  missing: (x, y) => missingMove(y) - missingMove(x),
}
/** @param {FeatureBeside} feature */
const missingMove = ({ missing_a: a, missing_b: b }) => Math.abs((b ?? 0) - (a ?? 0))

/** A distance, and for certain what it is at least and at most. @param {{ distance: FeatureBeside['ks'] }} props */
function Distance({ distance }) {
  if (!distance || distance.value === null) return html`<span class="quiet">–</span>`
  const { value, low, high, precision } = distance
  const isOpen = low !== null && high !== null && number(low) !== number(high)
  return html`<span
    class="with-interval"
    title=${isOpen ? 'The distance of the values themselves surely lies here' : ''}
  >
    <b>${number(value)}</b>
    <span class="quiet"
      >${isOpen ? `${number(low)} to ${number(high)}, certain` : precision === 'exact' ? 'exact' : 'from bins'}</span
    >
  </span>`
}

/** @param {FeatureBeside[]} features @param {string} search @param {string} sort */
function chosenOf(features, search, sort) {
  const [by, way] = sort.split(':')
  const found = features
    .map((feature, place) => ({ ...feature, place }))
    .filter(({ subject }) => subject.toLowerCase().includes(search.toLowerCase()))
    .toSorted(SORTS[by] ?? SORTS.moved)
  return way === 'up' ? found.toReversed() : found
}

/** Every feature of both sides, what moved most first. @param {{ answer: Beside, address: any, change: any }} props */
export function Features({ answer, address, change }) {
  const sort = address.sort ?? 'moved:down'
  const search = address.search ?? ''
  const features = chosenOf(answer.features, search, sort)
  const by = (next) => change({ sort: next }, false)
  return html`<section class="panel" aria-labelledby="features">
    <div class="bar-row">
      <h2 id="features">Features</h2>
      <input
        type="search"
        placeholder="Find a feature"
        aria-label="Find a feature"
        value=${search}
        onInput=${(event) => change({ search: event.target.value }, false)}
      />
      <span class="quiet grow" aria-live="polite"
        >${plural(features.length, 'feature')}${answer.left_out > 0 ? `, ${answer.left_out} more not listed` : ''}</span
      >
      <span class="key">
        <span class="swatch beside"></span> A <span class="swatch now"></span> B
      </span>
    </div>
    ${
      answer.features.length === 0
        ? html`<${Empty}>Neither side has a feature.<//>`
        : html`<div class="scroll" tabindex="0" role="region" aria-label="Features of both sides">
            <table class="features beside-table">
              <thead>
                <tr>
                  <${SortHead} id="name" text="Feature" sort=${sort} choose=${by} />
                  <th>A and B</th>
                  <${SortHead} id="moved" text="PSI" sort=${sort} choose=${by} isNumber />
                  <${SortHead} id="ks" text="KS" sort=${sort} choose=${by} isNumber />
                  <${SortHead} id="js" text="Jensen–Shannon" sort=${sort} choose=${by} isNumber />
                  <${SortHead} id="missing" text="Missing" sort=${sort} choose=${by} isNumber />
                  <th class="number">Values A / B</th>
                </tr>
              </thead>
              <tbody>
                ${features.map(
                  (feature) =>
                    html`<${FeatureRow}
                      key=${feature.subject}
                      feature=${feature}
                      open=${() => change({ subject: feature.subject })}
                    />`,
                )}
              </tbody>
            </table>
          </div>`
    }
    ${answer.features.length > 0 && features.length === 0 && html`<${Empty}>No feature is called so.<//>`}
  </section>`
}

/** @param {{ feature: FeatureBeside, open: () => void }} props */
const FeatureRow = ({ feature, open }) =>
  html`<tr class="opens" onClick=${open}>
    <td class="name">
      <button class="link" onClick=${(event) => (event.stopPropagation(), open())}>
        <bdi>${subjectName(feature.subject)}</bdi>
      </button>
    </td>
    <td>
      ${
        feature.shown
          ? html`<${SmallPicture}
              shown=${feature.shown}
              label="Values of ${subjectName(feature.subject)} on both sides"
            />`
          : html`<span class="quiet small">open to see</span>`
      }
    </td>
    <td class="number">
      ${
        feature.psi.value === null
          ? html`<${Badge}
              verdict="warning"
              text=${feature.n_a === 0 ? 'not in A' : feature.n_b === 0 ? 'not in B' : 'not known'}
            />`
          : html`<${Distance} distance=${feature.psi} />`
      }
    </td>
    <td class="number"><${Distance} distance=${feature.ks} /></td>
    <td class="number"><${Distance} distance=${feature.js_distance} /></td>
    <td class="number">${percent(feature.missing_a)} → ${percent(feature.missing_b)}</td>
    <td class="number quiet">${bothSizes(Math.round(feature.n_a), Math.round(feature.n_b))}</td>
  </tr>`

/** The values of a feature on both sides. */
function Values({ path, query, feature, answer }) {
  const asked = useAnswer(
    async () =>
      feature.shown
        ? feature
        : (
            await request(
              `${path}/side-by-side?${query}&subject=${encodeURIComponent(feature.subject)}`,
            )
          ).features[0],
    [feature.subject, query],
  )
  if (asked.error) return html`<${Failed} error=${asked.error} retry=${asked.again} />`
  if (!asked.answer) return html`<${Loading} what="values" tall />`
  const distribution = {
    ...asked.answer.shown,
    subject: feature.subject,
    reference: 'A',
    n_current: answer.b.events,
    n_reference: answer.a.events,
  }
  return html`${movementOf(distribution).map((said) => html`<p class="said"><bdi>${said}</bdi></p>`)}
    <${DistributionView} distribution=${distribution} names=${{ now: 'B', before: 'A' }} />`
}

/** One feature of both sides, over the page. @param {{ subject: string, answer: Beside, path: string, query: string, change: any }} props */
export function FeatureDrawer({ subject, answer, path, query, change }) {
  const feature = answer.features.find((one) => one.subject === subject)
  const close = () => change({ subject: undefined })
  return html`<${Drawer} title=${subjectName(subject)} close=${close}>
    ${
      feature
        ? html`<${Values} path=${path} query=${query} feature=${feature} answer=${answer} />
            <dl class="distances">
              ${[
                ['psi', feature.psi],
                ['ks', feature.ks],
                ['js_distance', feature.js_distance],
              ].map(
                ([name, distance]) =>
                  distance &&
                  html`<dt>${metricName(String(name))}</dt>
                    <dd><${Distance} distance=${distance} /></dd>`,
              )}
            </dl>
            ${feature.reason && html`<p class="quiet small">PSI: ${feature.reason}.</p>`}`
        : html`<${Empty}>Neither side has this feature.<//>`
    }
  <//>`
}

const PRODUCTS = /** @type {const} */ ([
  ['evidently', 'Evidently'],
  ['nannyml', 'NannyML'],
  ['azure', 'Azure ML'],
  ['trustyai', 'TrustyAI'],
  ['scouter', 'Scouter'],
])

/** Shows the two sides in the numbers of another product, asked for when they are chosen. */
export function Others({ path, query, address, change }) {
  const chosen = address.numbers
  return html`<section class="panel" aria-labelledby="others">
    <div class="bar-row">
      <h2 id="others" class="grow">As others number them</h2>
      <div class="ranges" role="group" aria-label="Whose numbers">
        ${PRODUCTS.map(
          ([id, name]) =>
            html`<button
              aria-pressed=${chosen === id}
              onClick=${() => change({ numbers: chosen === id ? undefined : id }, false)}
            >
              ${name}
            </button>`,
        )}
      </div>
    </div>
    ${
      chosen
        ? html`<${Numbers} key=${chosen} path=${path} query=${query} convention=${chosen} />`
        : html`<p class="quiet small">
            Each product bins and tests in its own way. Chosen here, their formulas are computed
            from the events of both sides, value by value, without weights.
          </p>`
    }
  </section>`
}

function Numbers({ path, query, convention }) {
  const { answer, error, again } = useAnswer(
    () => request(`${path}/compare?${query}&convention=${encodeURIComponent(convention)}`),
    [query],
  )
  if (error) return html`<${Failed} error=${error} retry=${again} />`
  if (!answer) return html`<${Loading} what="their numbers" tall />`
  if (answer.metrics.length === 0)
    return html`<${Empty}>Neither side has a feature that they number.<//>`
  const tested = answer.metrics.filter((row) => row.verdict === 'alarm' || row.verdict === 'ok')
  const drifted = tested.filter((row) => row.verdict === 'alarm').length
  return html`${
      tested.length > 0 &&
      html`<p>${`${drifted} of ${plural(tested.length, 'column')} would be called drifted.`}</p>`
    }
    <div class="scroll" tabindex="0" role="region" aria-label="Their numbers">
      <table>
        <thead>
          <tr>
            <th>Feature</th>
            <th>Number</th>
            <th class="number">Value</th>
            <th class="number">p</th>
            <th>They say</th>
            <th class="number">Values A / B</th>
          </tr>
        </thead>
        <tbody>
          ${answer.metrics.map(
            (row) =>
              html`<tr key=${`${row.subject}/${row.metric}/${row.verdict}`}>
                <td class="name"><bdi>${subjectName(row.subject)}</bdi></td>
                <td>${metricName(row.metric)}</td>
                <td class="number">${number(row.value)}</td>
                <td class="number">${probability(row.p_value)}</td>
                <td>
                  ${
                    row.verdict === 'none'
                      ? html`<span class="quiet">no verdict</span>`
                      : html`<${Badge}
                          verdict=${row.verdict}
                          text=${{ alarm: 'drifted', ok: 'not drifted' }[row.verdict] ?? row.verdict}
                        />`
                  }
                  ${row.reason && html`<span class="quiet small"> ${row.reason}</span>`}
                </td>
                <td class="number quiet">${bothSizes(row.n_reference, row.n_current)}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`
}
