/** The cohorts of one window by metric: what is worse than the whole, and what rests on too little. */
import { html } from '/console/vendor/preact.js'
import { STANDINGS } from '../parts/interval.js'
import { Empty, Mark } from '../parts/ui.js'
import { cohortOf, day, metricName, number, plural, shortNumber } from '../parts/words.js'

/** @typedef {import('../../schemas/http/cohorts.ts').CohortsAnswer} CohortsAnswer */
/** @typedef {import('../../schemas/http/cohorts.ts').Cell} Cell */
/** @typedef {CohortsAnswer['cohorts'][number]} Cohort */

/** What kind of cohort one is: what the table groups by. @param {Cohort} cohort */
export const groupOf = ({ model_version, variant, slice_key }) =>
  slice_key || (variant ? 'variant' : model_version ? 'version' : '')

/** What a cohort is called within its group. @param {Cohort} cohort */
export const nameOf = (cohort) =>
  cohort.slice_key
    ? (pairOf(cohort)?.join(' · ') ?? cohort.slice_value)
    : cohort.variant || cohort.model_version || 'The model as a whole'

/**
 * Both values of a pair (`region=north&channel=web` of `region&channel`); undefined of what is none.
 *
 * @param {Cohort} cohort
 * @returns {[string, string] | undefined}
 */
export function pairOf({ slice_key: key, slice_value: value }) {
  const at = key.indexOf('&')
  if (at < 0) return undefined
  const [first, second] = [`${key.slice(0, at)}=`, `&${key.slice(at + 1)}=`]
  const middle = value.indexOf(second)
  if (!value.startsWith(first) || middle < 0) return undefined
  return [value.slice(first.length, middle), value.slice(middle + second.length)]
}

/**
 * One cell: value, interval, cases; coloured only where its interval leaves the whole's value.
 *
 * @param {{ cell: Cell | null, what: string, isWhole?: boolean, open?: () => void }} props `what` says
 *   metric and cohort to who does not see the table
 */
export function HeatCell({ cell, what, isWhole = false, open }) {
  if (!cell) return html`<td class="cell"><span class="unknown quiet">–</span></td>`
  const { standing, value, ci_low: low, ci_high: high, n, verdict } = cell
  const shown = isWhole ? 'alike' : standing
  const isSaid = shown !== 'alike' && shown !== 'unknown'
  const isLoud = verdict === 'alarm' || verdict === 'warning'
  const ends = low === null || high === null ? '' : `${shortNumber(low)} to ${shortNumber(high)}, `
  const inside = html`
    <span class="hidden">${what}: </span>
    <span class="says">
      ${isSaid && html`<${Mark} verdict=${STANDINGS[shown].verdict} />`}
      <b>${shown === 'too_few' && value === null ? '–' : number(value)}</b>
      ${isSaid && shown !== 'too_few' && html`<span class="hidden">${STANDINGS[shown].text}</span>`}
      ${isLoud && html`<span class=${verdict} title="${verdict} beside its own baseline"><span aria-hidden="true">${verdict === 'alarm' ? '!!' : '!'}</span><span class="hidden">${verdict}</span></span>`}
    </span>
    <span class="rest">${shown === 'too_few' ? 'too few, ' : ends}n ${n.toLocaleString('en')}</span>
  `
  return html`<td class="cell">
    ${
      open
        ? html`<button class=${shown} title=${cell.reason} onClick=${open}>${inside}</button>`
        : html`<span class=${shown}>${inside}</span>`
    }
  </td>`
}

/** What colours and shapes say. @param {{ minCount: number }} props */
const Key = ({ minCount }) =>
  html`<p class="key heat-key">
    ${['worse', 'better', 'differs'].map(
      (one) =>
        html`<span class=${STANDINGS[one].verdict}
          ><${Mark} verdict=${STANDINGS[one].verdict} />
          ${one === 'differs' ? 'differs from' : `${one} than`} the model as a whole</span
        >`,
    )}
    <span
      ><span class="swatch few"></span> too few: below ${minCount.toLocaleString('en')} cases, or
      labels still to come</span
    >
    <span>uncoloured: no difference shown</span>
    <span
      ><b class="alarm">!!</b> <b class="warning">!</b> alarm, warning beside its own baseline</span
    >
  </p>`

/** @param {CohortsAnswer} answer @param {{ search: string, group: string, only: string, sort: string }} chosen @returns {[string, Cohort[]][]} */
function groupsOf(answer, { search, group, only, sort }) {
  const wanted = search.toLowerCase()
  const column = answer.metrics.findIndex(({ metric }) => metric === sort)
  const way = answer.metrics[column]?.worse === -1 ? 1 : -1
  const found = answer.cohorts.filter(
    (cohort) =>
      groupOf(cohort) !== '' &&
      (group === '' || groupOf(cohort) === group) &&
      (wanted === '' || `${groupOf(cohort)} ${nameOf(cohort)}`.toLowerCase().includes(wanted)) &&
      (only !== 'worse' || cohort.cells.some((cell) => cell?.standing === 'worse')),
  )
  if (column < 0) return [...Map.groupBy(found, groupOf)]
  const valueOf = (cohort) => cohort.cells[column]?.value ?? null
  const sorted = found.toSorted((a, b) => {
    const [x, y] = [valueOf(a), valueOf(b)]
    return x === null || y === null ? Number(x === null) - Number(y === null) : way * (x - y)
  })
  return [['', sorted]]
}

/** @param {{ answer: CohortsAnswer, address: any, change: any }} props */
export function Heat({ answer, address, change }) {
  const { search = '', group = '', only = '', sort = '' } = address
  const groups = groupsOf(answer, { search, group, only, sort })
  const [whole] = answer.cohorts.filter((cohort) => groupOf(cohort) === '')
  const kinds = [...new Set(answer.cohorts.map(groupOf))].filter(Boolean)
  const worse = answer.cohorts.filter((cohort) =>
    cohort.cells.some((cell) => cell?.standing === 'worse'),
  ).length
  const most = Math.max(...answer.metrics.map(({ tested }) => tested), 0)
  const row = (cohort, isAlone = false) =>
    html`<tr key=${JSON.stringify([groupOf(cohort), nameOf(cohort)])}>
      <th scope="row">
        <bdi>${isAlone ? cohortOf(cohort) : nameOf(cohort)}</bdi>
      </th>
      <td class="number">${cohort.events.toLocaleString('en')}</td>
      ${cohort.cells.map(
        (cell, i) =>
          html`<${HeatCell}
            cell=${cell}
            what="${metricName(answer.metrics[i].metric)} of ${cohortOf(cohort)}"
            open=${() => change({ cohort: keyOf(cohort), metric: answer.metrics[i].metric })}
          />`,
      )}
    </tr>`
  return html`<section class="panel" aria-labelledby="heat">
    <div class="bar-row">
      <h2 id="heat">Cohorts by metric</h2>
      <input
        type="search"
        placeholder="Find a cohort"
        aria-label="Find a cohort"
        value=${search}
        onInput=${(event) => change({ search: event.target.value }, false)}
      />
      <label>
        <span class="hidden">Kind of cohort</span>
        <select onChange=${(event) => change({ group: event.target.value })}>
          <option value="">every kind</option>
          ${kinds.map((one) => html`<option value=${one} selected=${one === group}>${one}</option>`)}
        </select>
      </label>
      <button
        aria-pressed=${only === 'worse'}
        onClick=${() => change({ only: only === 'worse' ? undefined : 'worse' }, false)}
      >
        Worse <span class="count">${worse}</span>
      </button>
    </div>
    ${
      kinds.length === 0
        ? html`<${Empty}>
            This window has no cohorts: one version, no variant, and no slice in the model file.
            Name attributes or features under
            ${' '}<code>slices</code>${' '}and${' '}<code>cohorts</code>.
          <//>`
        : html`<div class="scroll" tabindex="0" role="region" aria-label="Table of cohorts">
              <table class="heat">
                <thead>
                  <tr>
                    <th>Cohort</th>
                    <th class="number">Events</th>
                    ${answer.metrics.map(
                      ({ metric }) =>
                        html`<th aria-sort=${sort === metric ? 'descending' : undefined}>
                          <button
                            class="head"
                            title="Sort by it, the worst first"
                            onClick=${() => change({ sort: sort === metric ? undefined : metric }, false)}
                          >
                            ${metricName(metric)}<span aria-hidden="true"
                              >${sort === metric ? ' ↓' : ''}</span
                            >
                          </button>
                        </th>`,
                    )}
                  </tr>
                </thead>
                <tbody>
                  ${
                    whole &&
                    html`<tr>
                      <th scope="row">The model as a whole</th>
                      <td class="number">${whole.events.toLocaleString('en')}</td>
                      ${whole.cells.map((cell, i) => html`<${HeatCell} cell=${cell} what="${metricName(answer.metrics[i].metric)} of the whole" isWhole />`)}
                    </tr>`
                  }
                  ${groups.map(
                    ([name, cohorts]) =>
                      html`${
                        name &&
                        html`<tr class="group">
                          <th colspan=${answer.metrics.length + 2} scope="rowgroup">
                            <bdi>${name}</bdi>
                          </th>
                        </tr>`
                      }
                      ${cohorts.map((cohort) => row(cohort, !name))}`,
                  )}
                </tbody>
              </table>
            </div>
            ${groups.every(([, cohorts]) => cohorts.length === 0) && html`<${Empty}>No cohort is so.<//>`}
            <${Key} minCount=${answer.min_count} />
            <p class="quiet small">
              Shown are 95 % intervals of each cell; what is called worse, better or different holds
              for all cohorts of a metric together (${most} at most), so that none is picked by
              chance.
              ${answer.left_out > 0 && ` ${plural(answer.left_out, 'smaller cohort')} not listed.`}
            </p>`
    }
  </section>`
}

/** How the address names a cohort. @param {Cohort} cohort */
export const keyOf = ({ model_version, variant, slice_key, slice_value }) =>
  JSON.stringify([model_version, variant, slice_key, slice_value])

/** The values of two names together, as a grid of one metric. @param {{ answer: CohortsAnswer, address: any, change: any }} props */
export function Intersections({ answer, address, change }) {
  const pairs = answer.cohorts.filter((cohort) => pairOf(cohort))
  const keys = [...new Set(pairs.map((cohort) => cohort.slice_key))]
  if (keys.length === 0) return ''
  const key = keys.includes(address.pair) ? address.pair : keys[0]
  const chosen = address.by ?? answer.metrics[0]?.metric
  const column = Math.max(
    0,
    answer.metrics.findIndex(({ metric }) => metric === chosen),
  )
  const metric = answer.metrics[column]?.metric ?? ''
  const own = pairs.filter((cohort) => cohort.slice_key === key)
  const values = (side) => [...new Set(own.map((cohort) => pairOf(cohort)?.[side]))].toSorted()
  const [rows, columns] = [values(0), values(1)]
  const [first, second] = [key.slice(0, key.indexOf('&')), key.slice(key.indexOf('&') + 1)]
  const find = (a, b) =>
    own.find((cohort) => pairOf(cohort)?.[0] === a && pairOf(cohort)?.[1] === b)
  return html`<section class="panel" aria-labelledby="pairs">
    <div class="bar-row">
      <h2 id="pairs" class="grow">Intersections</h2>
      <label>
        <span class="hidden">Pair</span>
        <select onChange=${(event) => change({ pair: event.target.value })}>
          ${keys.map((one) => html`<option value=${one} selected=${one === key}>${one.replace('&', ' and ')}</option>`)}
        </select>
      </label>
      <label>
        <span class="hidden">Metric</span>
        <select onChange=${(event) => change({ by: event.target.value })}>
          ${answer.metrics.map(({ metric: one }) => html`<option value=${one} selected=${one === metric}>${metricName(one)}</option>`)}
        </select>
      </label>
    </div>
    <div class="scroll" tabindex="0" role="region" aria-label="Table of intersections">
      <table class="heat">
        <thead>
          <tr>
            <th><bdi>${first}</bdi> ↓ <bdi>${second}</bdi> →</th>
            ${columns.map((one) => html`<th><bdi>${one}</bdi></th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            (a) =>
              html`<tr>
                <th scope="row"><bdi>${a}</bdi></th>
                ${columns.map((b) => {
                  const cohort = find(a, b)
                  return html`<${HeatCell}
                    cell=${cohort?.cells[column] ?? null}
                    what="${metricName(metric)} of ${a}, ${b}"
                    open=${cohort && (() => change({ cohort: keyOf(cohort), metric }))}
                  />`
                })}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </section>`
}

/** Which window is looked at. @param {{ answer: CohortsAnswer, change: any }} props */
export const WindowPicker = ({ answer, change }) =>
  html`<label class="small">
    Window to${' '}
    <select name="to" onChange=${(event) => change({ to: event.target.value })}>
      ${answer.windows.map(
        (end) =>
          html`<option value=${end} selected=${end === answer.window_end}>${day(end)}</option>`,
      )}
    </select>
  </label>`
