/** Every model at a glance: what is wrong, since when, and how old the evidence is. */
import { html, render, useMemo, useState } from '/console/vendor/preact.js'
import { useLive } from '../parts/live.js'
import { request, show } from '../parts/page.js'
import { inWords, stateVerdict } from '../parts/states.js'
import { Ago, Badge, Empty, Failed, Loading, SortHead, useAddress, useAnswer } from '../parts/ui.js'
import { duration, HEALTH, plural, sentence } from '../parts/words.js'

/** @typedef {import('../parts/words.js').Verdict} Verdict */
/** @typedef {import('../../schemas/http/drift.ts').ModelsAnswer} ModelsAnswer */
/** @typedef {import('../../schemas/active-alarms.ts').ActiveAlarm} ActiveAlarm */
/**
 * @typedef {{ id: string, task: string | null, verdict: Verdict, word: string, alarms: number,
 * warnings: number, since: string | undefined, sentence: string, lastWindow: string | null,
 * windows: number }} Line
 */

const GRAVITY = ['alarm', 'warning', 'incomplete', 'none', 'ok']
const FILTERS = /** @type {const} */ ([
  ['alarm', 'Alarms'],
  ['warning', 'Warnings'],
  ['incomplete', 'Not enough data'],
  ['ok', 'Calm'],
  ['none', 'Waiting'],
])

/** @param {ModelsAnswer['models']} models @param {ActiveAlarm[]} alarms @returns {Line[]} */
function linesOf(models, alarms) {
  const own = Map.groupBy(
    alarms.filter(
      (alarm) => !alarm.is_snoozed && !alarm.model_version && !alarm.variant && !alarm.slice_key,
    ),
    (alarm) => alarm.model_id,
  )
  return models.map((model) => {
    const active = own.get(model.model_id) ?? []
    return {
      id: model.model_id,
      task: model.task,
      // A model that has fallen silent at alarm is listed with the alarms.
      verdict: Number(model.alarms) > 0 ? 'alarm' : HEALTH[model.health],
      word: model.health,
      alarms: Number(model.alarms),
      warnings: Number(model.warnings),
      since: active.map((alarm) => alarm.since).sort()[0],
      sentence: sentence(model.headline),
      lastWindow: model.last_window_end,
      windows: Number(model.windows),
    }
  })
}

const text = (a, b) => (a < b ? -1 : a > b ? 1 : 0)
const SORTS = {
  state: (a, b) =>
    GRAVITY.indexOf(a.verdict) - GRAVITY.indexOf(b.verdict) ||
    b.alarms - a.alarms ||
    text(b.lastWindow ?? '', a.lastWindow ?? '') ||
    text(a.id, b.id),
  name: (a, b) => text(a.id, b.id),
  alarms: (a, b) => b.alarms - a.alarms || b.warnings - a.warnings || text(a.id, b.id),
  since: (a, b) => text(a.since ?? '9', b.since ?? '9') || text(a.id, b.id),
  window: (a, b) => text(b.lastWindow ?? '', a.lastWindow ?? '') || text(a.id, b.id),
}

/** @param {Line[]} lines @param {Record<string, string>} address */
function chosenOf(lines, { search = '', state = '', task = '', sort = 'state:down' }) {
  const [by, way] = sort.split(':')
  const wanted = search.toLowerCase()
  const found = lines
    .filter(
      (line) =>
        (wanted === '' || line.id.toLowerCase().includes(wanted)) &&
        (state === '' || line.verdict === state) &&
        (task === '' || (line.task ?? 'none') === task),
    )
    .toSorted(SORTS[by] ?? SORTS.state)
  return way === 'up' ? found.toReversed() : found
}

/** @param {{ line: Line, now: number }} props */
const Row = ({ line, now }) =>
  html`<tr>
    <td><${Badge} verdict=${line.verdict} text=${line.word} /></td>
    <td class="name">
      <a href="/models/${encodeURIComponent(line.id)}" title=${line.id}><bdi>${line.id}</bdi></a>
    </td>
    <td class="what"><bdi>${line.sentence}</bdi></td>
    <td class="number" data-label="alarms">
      ${line.alarms > 0 && html`<span class="alarm">${line.alarms}</span>`}
      ${line.warnings > 0 && html`${line.alarms > 0 ? ' + ' : ''}<span class="warning" title="${plural(line.warnings, 'warning')}">${line.warnings}</span>`}
      ${line.alarms + line.warnings === 0 && html`<span class="quiet">–</span>`}
    </td>
    <td data-label="for">
      ${line.since ? html`<span title="since ${line.since.slice(0, 16).replace('T', ' ')} UTC">${duration(now - Date.parse(line.since))}</span>` : html`<span class="quiet">–</span>`}
    </td>
    <td data-label="last window">
      ${line.lastWindow ? html`<${Ago} time=${line.lastWindow} now=${now} />` : html`<span class="quiet">none closed yet</span>`}
    </td>
    <td class="quiet" data-label="task">${line.task ?? 'not declared'}</td>
  </tr>`

/** Filters with how many models each has; pressed ones narrow. */
function Filters({ lines, address, change, shown }) {
  const counts = new Map(
    FILTERS.map(([id]) => [id, lines.filter((line) => line.verdict === id).length]),
  )
  const tasks = [...new Set(lines.map((line) => line.task ?? 'none'))].sort()
  return html`<div class="bar-row">
    <input
      type="search"
      placeholder="Find a model"
      aria-label="Find a model"
      value=${address.search ?? ''}
      onInput=${(event) => change({ search: event.target.value }, false)}
    />
    ${FILTERS.filter(([id]) => (counts.get(id) ?? 0) > 0 || address.state === id).map(
      ([id, name]) =>
        html`<button
          aria-pressed=${address.state === id}
          onClick=${() => change({ state: address.state === id ? undefined : id })}
        >
          ${name} <span class="count">${counts.get(id)}</span>
        </button>`,
    )}
    ${
      tasks.length > 1 &&
      html`<select aria-label="Task" onChange=${(event) => change({ task: event.target.value })}>
        <option value="">Every task</option>
        ${tasks.map((task) => html`<option value=${task} selected=${task === address.task}>${task === 'none' ? 'not declared' : task}</option>`)}
      </select>`
    }
    <span class="quiet" aria-live="polite">${plural(shown, 'model')}</span>
  </div>`
}

function Models({ lines, address, change }) {
  const now = Date.now()
  const chosen = useMemo(
    () => chosenOf(lines, address),
    [lines, address.search, address.state, address.task, address.sort],
  )
  const sort = address.sort ?? 'state:down'
  const by = (next) => change({ sort: next === 'state:down' ? undefined : next }, false)
  return html`<${Filters}
      lines=${lines}
      address=${address}
      change=${change}
      shown=${chosen.length}
    />
    <div class="scroll">
      <table class="models stacked">
        <thead>
          <tr>
            <${SortHead} id="state" text="Health" sort=${sort} choose=${by} />
            <${SortHead} id="name" text="Model" sort=${sort} choose=${by} />
            <th>What</th>
            <${SortHead} id="alarms" text="Alarms" sort=${sort} choose=${by} isNumber />
            <${SortHead} id="since" text="For" sort=${sort} choose=${by} />
            <${SortHead} id="window" text="Last window" sort=${sort} choose=${by} />
            <th>Task</th>
          </tr>
        </thead>
        <tbody>
          ${chosen.map((line) => html`<${Row} key=${line.id} line=${line} now=${now} />`)}
        </tbody>
      </table>
    </div>
    ${chosen.length === 0 && html`<${Empty}>No model fits these filters.<//>`}`
}

/** The last runs, below. */
function Runs() {
  const { answer } = useAnswer(() => request('/v1/runs?limit=5'), [])
  if (!answer || answer.runs.length === 0) return ''
  return html`<h2>Latest runs</h2>
    <table class="runs">
      <tbody>
        ${answer.runs.map(
          (run) =>
            html`<tr>
              <td>
                <${Badge} verdict=${stateVerdict(run.state)} text=${inWords(run.state)} />
              </td>
              <td><bdi>${run.model_id}</bdi></td>
              <td>
                <a href="/runs?run=${encodeURIComponent(run.run_id)}"><bdi>${run.policy}</bdi></a
                >${run.new_version ? `, version ${run.new_version}` : ''}
              </td>
              <td class="quiet"><bdi>${run.reason}</bdi></td>
            </tr>`,
        )}
      </tbody>
    </table>`
}

function Page() {
  const [address, change] = useAddress()
  const [turn, setTurn] = useState(0)
  useLive({ refresh: () => setTurn((n) => n + 1), everyMs: 10_000 })
  const models = useAnswer(() => request('/v1/models'), [turn])
  const alarms = useAnswer(() => request('/v1/alarms'), [turn])
  const lines = useMemo(
    () => linesOf(models.answer?.models ?? [], alarms.answer?.alarms ?? []),
    [models.answer, alarms.answer],
  )
  return html`<h1>Models</h1>
    ${models.error && html`<${Failed} error=${models.error} retry=${models.again} />`}
    ${alarms.error && html`<${Failed} error=${alarms.error} retry=${alarms.again} />`}
    ${!models.answer && !models.error && html`<${Loading} what="models" tall />`}
    ${
      models.answer &&
      (lines.length === 0
        ? html`<${Empty}>
            No model has sent an event yet. POST one to <code>/v1/predictions</code>, or run ${' '}
            <code>npm run demo</code>.
          <//>`
        : html`<${Models} lines=${lines} address=${address} change=${change} />`)
    }
    <${Runs} />`
}

await show(async (main) => render(html`<${Page} />`, main))
