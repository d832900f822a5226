/** Data sets: predictions with their labels as files; made here, listed, and fetched. */
import { html, render, useEffect, useState } from '/console/vendor/preact.js'
import { hasKeys, request, show } from '../parts/page.js'
import { Ago, Badge, Empty, Failed, Loading, useAddress, useAnswer } from '../parts/ui.js'
import { bytes } from '../parts/words.js'

/** @typedef {{ dataset_id: string, model_id: string, made_at: string, made_by: string, state: string, format: string | null, label: string | null, as_of: string | null, from: string | null, to: string | null, rows: number | null, bytes: number | null, sha256: string | null }} Dataset */

const FORMATS = /** @type {const} */ ([
  ['parquet', 'Parquet'],
  ['csv', 'CSV'],
  ['jsonl', 'JSON Lines'],
  ['pairs', 'Preference pairs'],
  ['label_studio', 'Label Studio tasks'],
  ['argilla', 'Argilla records'],
])
const ROWS = /** @type {const} */ ([
  ['labelled', 'with the label'],
  ['all', 'all'],
])
const RULES = /** @type {const} */ ([
  ['higher_label', 'the higher label'],
  ['preferred_to', 'the label names the other'],
])
const NAME = 'plumbline-name'
const DAY_MS = 86_400_000

/** Hours of an input of the browser, in UTC. @param {number} ms */
const inputTime = (ms) => new Date(ms).toISOString().slice(0, 16)
/** @param {FormDataEntryValue | null} value */
const asUtc = (value) => `${String(value)}:00Z`
const text = (form, name) => String(form.get(name) ?? '').trim()
const day = (time) => time?.slice(0, 16).replace('T', ' ')

/** @param {{ name: string, words: string, options: readonly (readonly [string, string])[], change?: (value: string) => void }} props */
const Choice = ({ name, words, options, change }) =>
  html`<label
    >${words}<select name=${name} onChange=${(event) => change?.(event.target.value)}>
      ${options.map(([value, option]) => html`<option value=${value}>${option}</option>`)}
    </select></label
  >`

/** What the form asks for. @param {FormData} form */
function bodyOf(form) {
  const where = text(form, 'where')
  const columns = text(form, 'columns')
  const format = text(form, 'format')
  return {
    model_id: text(form, 'model_id'),
    from: asUtc(form.get('from')),
    to: asUtc(form.get('to')),
    label: text(form, 'label') || 'label',
    format,
    ...(where && { where }),
    ...(format === 'pairs'
      ? { pairs: { rule: text(form, 'rule') } }
      : { rows: text(form, 'rows'), ...(columns && { columns: columns.split(/[\s,]+/) }) }),
  }
}

/** @param {{ models: string[], chosen: string | undefined, name: string | undefined, made: (made: object) => void }} props */
function NewDataset({ models, chosen, name, made }) {
  const [format, setFormat] = useState('parquet')
  const [error, setError] = useState(/** @type {Error | undefined} */ (undefined))
  const [isBusy, setBusy] = useState(false)
  const [now] = useState(Date.now)
  const submit = async (event) => {
    event.preventDefault()
    const form = new FormData(event.target)
    setBusy(true)
    setError(undefined)
    try {
      const actor = text(form, 'actor')
      if (actor) localStorage.setItem(NAME, actor)
      made(await request('/v1/datasets', { ...bodyOf(form), ...(actor && { actor }) }))
    } catch (problem) {
      setError(/** @type {Error} */ (problem))
    }
    setBusy(false)
  }
  return html`<form class="card make" aria-label="A new data set" onSubmit=${submit}>
    <label
      >Model<select name="model_id">
        ${models.map(
          (model) => html`<option value=${model} selected=${model === chosen}>${model}</option>`,
        )}
      </select></label
    >
    <label
      >From (UTC)<input
        type="datetime-local"
        name="from"
        required
        defaultValue=${inputTime(now - 30 * DAY_MS)}
    /></label>
    <label
      >To (UTC)<input type="datetime-local" name="to" required defaultValue=${inputTime(now)}
    /></label>
    <${Choice} name="format" words="As" options=${FORMATS} change=${setFormat} />
    <label>Label<input name="label" maxlength="200" placeholder="label" /></label>
    ${
      format === 'pairs'
        ? html`<${Choice} name="rule" words="Preferred is" options=${RULES} />`
        : html`<${Choice} name="rows" words="Predictions" options=${ROWS} />`
    }
    <label class="long"
      >Where<input
        name="where"
        maxlength="1000"
        autocomplete="off"
        placeholder="amount > 1000 and country = 'DE'"
    /></label>
    ${
      format !== 'pairs' &&
      html`<label class="long"
        >Columns<input
          name="columns"
          autocomplete="off"
          placeholder="all but texts and ids of others; or: score, features, attributes.country, label"
      /></label>`
    }
    ${
      name !== undefined &&
      html`<label
        >Your name<input name="actor" required maxlength="180" defaultValue=${name}
      /></label>`
    }
    <button class="primary" disabled=${isBusy || models.length === 0}>
      ${isBusy ? 'Making it …' : 'Make the data set'}
    </button>
    ${error && html`<${Failed} error=${error} />`}
  </form>`
}

/** @param {{ of: Dataset, isNew: boolean, name: string | undefined }} props */
function Row({ of, isNew, name }) {
  const actor = name === undefined ? '' : `?actor=${encodeURIComponent(name || 'page')}`
  return html`<tr class=${isNew ? 'new' : ''}>
    <td class="what">
      <bdi>${of.model_id}</bdi>${` · ${of.format ?? '–'}`}
      ${of.label !== 'label' && of.label !== null && html`${' · '}<bdi>${of.label}</bdi>`}
      <br /><code class="quiet">${of.dataset_id}</code>
    </td>
    <td data-label="from, to">${of.from ? html`${day(of.from)}<br />${day(of.to)}` : '–'}</td>
    <td data-label="rows" class="number">${of.rows?.toLocaleString('en') ?? '–'}</td>
    <td data-label="bytes" class="number">${of.bytes === null ? '–' : bytes(of.bytes)}</td>
    <td data-label="SHA-256">
      ${of.sha256 ? html`<code title=${of.sha256}>${of.sha256.slice(0, 12)}</code>` : '–'}
    </td>
    <td data-label="made"><${Ago} time=${of.made_at} /> by <bdi>${of.made_by}</bdi></td>
    <td>
      ${
        of.state === 'made'
          ? html`<a
              href="/v1/datasets/${encodeURIComponent(of.dataset_id)}/rows${actor}"
              aria-label=${`Fetch ${of.dataset_id}`}
              >Fetch</a
            >`
          : html`<${Badge} verdict="none" text="erased" />`
      }
    </td>
  </tr>`
}

/** @param {{ datasets: Dataset[], newest: string | undefined, name: string | undefined }} props */
const Table = ({ datasets, newest, name }) =>
  html`<div class="scroll" tabindex="0" role="region" aria-label="Data sets made">
    <table class="stacked datasets">
      <thead>
        <tr>
          <th>Data set</th>
          <th>Predictions from, to (UTC)</th>
          <th class="number">Rows</th>
          <th class="number">Bytes</th>
          <th>SHA-256</th>
          <th>Made</th>
          <th>Fetch</th>
        </tr>
      </thead>
      <tbody>
        ${datasets.map((of) => html`<${Row} key=${of.dataset_id} of=${of} isNew=${of.dataset_id === newest} name=${name} />`)}
      </tbody>
    </table>
  </div>`

function Page() {
  const [{ model }] = useAddress()
  const models = useAnswer(() => request('/v1/models'), [])
  const query = model ? `?model_id=${encodeURIComponent(model)}` : ''
  const listed = useAnswer(() => request(`/v1/datasets${query}`), [query])
  const [name, setName] = useState(/** @type {string | undefined} */ (undefined))
  const [newest, setNewest] = useState(/** @type {string | undefined} */ (undefined))
  useEffect(() => {
    hasKeys().then(
      (keys) => setName(keys ? undefined : (localStorage.getItem(NAME) ?? '')),
      () => {},
    )
  }, [])
  const made = ({ dataset_id }) => {
    setNewest(dataset_id)
    if (name !== undefined) setName(localStorage.getItem(NAME) ?? '')
    listed.again()
  }
  const error = models.error ?? listed.error
  return html`<h1>Data sets</h1>
    <p class="quiet">
      Predictions with their labels, how these came about and what each row stands for. A data set
      is the same bytes whenever it is fetched; where rows are gone since, it says so.
    </p>
    ${error && html`<${Failed} error=${error} retry=${() => (models.again(), listed.again())} />`}
    ${
      models.answer &&
      html`<${NewDataset}
        models=${models.answer.models.map((one) => one.model_id)}
        chosen=${model}
        name=${name}
        made=${made}
      />`
    }
    ${
      !listed.answer
        ? !error && html`<${Loading} what="the data sets" />`
        : listed.answer.datasets.length === 0
          ? html`<${Empty}>No data set was made yet.<//>`
          : html`<${Table} datasets=${listed.answer.datasets} newest=${newest} name=${name} />`
    }`
}

await show(async (main) => render(html`<${Page} />`, main))
