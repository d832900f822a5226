/** A model's settings as they are in force, and what other budgets would have done. */
import { html, render } from '/console/vendor/preact.js'
import { request, show } from '../parts/page.js'
import { Badge, Empty, Failed, Loading, useAddress, useAnswer } from '../parts/ui.js'
import { plural } from '../parts/words.js'

/** @typedef {import('typebox').Static<typeof import('../../schemas/http/pages/settings.ts').SettingsAnswer>} Settings */
/** @typedef {Settings['sections'][number]} Section */
/** @typedef {import('../../schemas/http/drift.ts').ModelAnswer} Model */

const id = decodeURIComponent(location.pathname.split('/').at(-2) ?? '')
document.title = `Settings of ${id} · Plumbline`
const path = `/v1/models/${encodeURIComponent(id)}`

/** A value as a model file has it. @param {unknown} value */
const inFile = (value) =>
  value === null ? 'not set' : typeof value === 'string' ? value : JSON.stringify(value)

/** @param {{ section: Section }} props */
const Rows = ({ section: { section, settings } }) =>
  html`<section>
    <h2>${section}</h2>
    <table class="settings">
      <thead>
        <tr>
          <th>Setting</th>
          <th>Value</th>
          <th>Meaning</th>
        </tr>
      </thead>
      <tbody>
        ${settings.map(
          ({ setting, value, is_default: isDefault, says }) =>
            html`<tr>
              <th scope="row"><bdi>${setting}</bdi></th>
              <td>
                <code><bdi>${inFile(value)}</bdi></code>
                <div class="quiet small">${isDefault ? 'default' : 'of the model file'}</div>
              </td>
              <td><bdi>${says}</bdi></td>
            </tr>`,
        )}
      </tbody>
    </table>
  </section>`

/** What the last 90 days would have looked like. @param {{ model: Model }} props */
function Budgets({ model: { baseline, alarms } }) {
  const { tested_windows: windows, last_90_days: tried } = baseline
  return html`<section class="panel" aria-labelledby="budgets">
    <h2 id="budgets">How calm it is set</h2>
    <p>${baseline.set_to}.</p>
    <p class="quiet">${baseline.compared_with}.</p>
    ${
      windows === 0
        ? html`<p class="quiet">No window of the last 90 days was tested yet.</p>`
        : html`<table class="budgets">
            <caption>
              The last 90 days of its own time, ${plural(windows, 'window')} that were tested
            </caption>
            <thead>
              <tr>
                <th>Budget a week</th>
                <th class="number">Windows that would have alarmed</th>
                <th class="number">Alert episodes</th>
              </tr>
            </thead>
            <tbody>
              ${tried.map(
                (one) =>
                  html`<tr>
                    <th scope="row">
                      ${one.false_alarms_per_week}${' '}
                      ${one.false_alarms_per_week === alarms.budget_per_week && html`<${Badge} verdict="ok" text="in force" />`}
                    </th>
                    <td class="number">${one.windows} of ${windows}</td>
                    <td class="number">${one.episodes}</td>
                  </tr>`,
              )}
            </tbody>
          </table>`
    }
    <p class="quiet small">
      The budget is <code>alarms.false_alarms_per_week</code> of the model file; these numbers come
      from the adjusted p of each test, lines of the owner left out.
    </p>
  </section>`
}

/** @param {{ answer: Settings, address: Record<string, string>, change: any }} props */
function Sections({ answer, address, change }) {
  const only = address.only === 'named'
  const sections = answer.sections
    .map((one) => ({
      ...one,
      settings: only ? one.settings.filter((setting) => !setting.is_default) : one.settings,
    }))
    .filter((one) => one.settings.length > 0)
  return html`<div class="bar-row">
      <button
        aria-pressed=${only}
        onClick=${() => change({ only: only ? undefined : 'named' }, false)}
      >
        Of the model file alone
      </button>
      <span class="quiet"
        >${answer.revision ? html`revision <code>${answer.revision}</code>` : 'The model has no file: every setting is a default.'}</span
      >
    </div>
    ${sections.length === 0 && html`<${Empty}>The model file names none of these.<//>`}
    ${sections.map((section) => html`<${Rows} key=${section.section} section=${section} />`)}`
}

function Page() {
  const [address, change] = useAddress()
  const settings = useAnswer(() => request(`${path}/settings`), [])
  const model = useAnswer(() => request(path), [])
  return html`<p class="above">
      <a href="/models/${encodeURIComponent(id)}"><bdi>${id}</bdi></a>
    </p>
    <h1>Settings in force</h1>
    ${settings.error && html`<${Failed} error=${settings.error} retry=${settings.again} />`}
    ${!settings.answer && !settings.error && html`<${Loading} what="settings" tall />`}
    ${settings.answer && model.error && html`<${Failed} error=${model.error} retry=${model.again} />`}
    ${
      settings.answer &&
      !model.answer &&
      !model.error &&
      html`<p role="status" class="quiet">Testing the last 90 days on other budgets …</p>`
    }
    ${settings.answer && model.answer && html`<${Budgets} model=${model.answer} />`}
    ${settings.answer && html`<${Sections} answer=${settings.answer} address=${address} change=${change} />`}`
}

await show(async (main) => render(html`<${Page} />`, main))
