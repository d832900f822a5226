/** The judges of a model file: whether they are asked, what they spend, how far people agree. */
import { html, useState } from '/console/vendor/preact.js'
import { request } from '../parts/page.js'
import { ReasonForm } from '../parts/reason-form.js'
import { inWords } from '../parts/states.js'
import { Ago, Badge, Failed, useAnswer } from '../parts/ui.js'
import { number, percent, plural } from '../parts/words.js'

/** @typedef {import('../../schemas/http/labels/judges.ts').JudgesAnswer['judges'][number]} Judge */
/** @typedef {import('../../schemas/http/labels/answers.ts').AgreementAnswer['judges'][number]} Agreement */

/** @type {Record<Judge['standing'], import('../parts/words.js').Verdict>} */
const STANDINGS = { ready: 'ok', paused: 'warning', muted: 'alarm', unready: 'incomplete' }
const HEADS = ['Judge', 'Is asked', 'Today', 'Questions', 'Agrees with people', 'Act']

const usd = (value) => `$${number(value)}`

/** @param {{ one: Judge }} props */
const Standing = ({ one }) =>
  html`<${Badge}
      verdict=${STANDINGS[one.standing]}
      text=${one.standing === 'ready' ? 'asked' : one.standing}
    />
    ${one.muted_at && html`${' '}<span class="quiet small"><${Ago} time=${one.muted_at} /></span>`}
    ${one.reason !== '' && html`<div class="quiet small"><bdi>${one.reason}</bdi></div>`}`

/** @param {Judge['questions']} questions */
const countsOf = ({ answered, open }) =>
  [`${answered.toLocaleString('en')} answered`, open > 0 && `${open.toLocaleString('en')} open`]
    .filter(Boolean)
    .join(', ')

/** Answered questions, and why others have no label. @param {{ one: Judge }} props */
const Questions = ({ one: { questions, reasons } }) =>
  html`${countsOf(questions)}
  ${reasons.map(
    ({ state, reason, questions: many }) =>
      html`<div class="quiet small" key=${`${state}/${reason}`}>
        ${`${many.toLocaleString('en')} ${state}: ${inWords(reason)}`}
      </div>`,
  )}`

/** @param {{ agreement: Agreement | undefined }} props */
function Agrees({ agreement }) {
  if (!agreement) return html`<span class="quiet">no answers beside people’s</span>`
  const { agreement: found, items, statistic } = agreement
  if (found.value === null) return html`<span class="quiet"><bdi>${found.reason}</bdi></span>`
  return html`<b>${number(found.value)}</b>${' '}<span class="quiet"
      >${`${number(found.ci_low)} to ${number(found.ci_high)}`}</span
    >
    <div class="quiet small">${statistic}, ${plural(items, 'prediction')}</div>`
}

/** @param {{ path: string, one: Judge, agreement: Agreement | undefined, done: () => void }} props */
function Row({ path, one, agreement, done }) {
  const [isUnmuting, setUnmuting] = useState(false)
  const unmute = async (form, who) => {
    const body = { version: one.version, reason: String(form.get('comment')), ...who }
    await request(`${path}/judges/${encodeURIComponent(one.judge)}/unmute`, body)
    setUnmuting(false)
    done()
  }
  return html`<tr>
      <td class="what">
        <b><bdi>${one.judge}</bdi></b> <span class="quiet">version <bdi>${one.version}</bdi></span>
        <div class="quiet small">
          <bdi>${one.asks}</bdi> on ${percent(one.sample)}; labels <code>${one.label}</code>
        </div>
      </td>
      <td data-label="is asked"><${Standing} one=${one} /></td>
      <td data-label="today" class="number">
        ${usd(one.spent_usd)}
        <div class="quiet small">of ${usd(one.budget_usd)}</div>
      </td>
      <td data-label="questions"><${Questions} one=${one} /></td>
      <td data-label="agrees with people"><${Agrees} agreement=${agreement} /></td>
      <td>
        ${
          one.standing === 'muted' &&
          html`<button
            aria-expanded=${isUnmuting}
            aria-label=${`Unmute ${one.judge}`}
            onClick=${() => setUnmuting(!isUnmuting)}
          >
            Unmute
          </button>`
        }
      </td>
    </tr>
    ${
      isUnmuting &&
      html`<tr>
        <td colspan=${HEADS.length} class="what">
          <${ReasonForm}
            text="Ask it again"
            says="Its labels from now on count for muting it again."
            close=${() => setUnmuting(false)}
            send=${unmute}
          />
        </td>
      </tr>`
    }`
}

/**
 * The judges of a model, under their own heading; nothing where its file names none.
 *
 * @param {{ path: string }} props
 */
export function Judges({ path }) {
  const { answer, error, again } = useAnswer(async () => {
    const { judges, days } = await request(`${path}/judges`)
    const agreed = judges.length > 0 ? (await request(`${path}/agreement`)).judges : []
    return { judges, days, agreed }
  }, [path])
  if (error)
    return html`<h2>Judges</h2>
      <${Failed} error=${error} retry=${again} />`
  if (!answer || answer.judges.length === 0) return ''
  const of = ({ judge, version, label }) =>
    answer.agreed.find((one) => one.judge === `${judge}@${version}` && one.label === label)
  return html`<h2>Judges</h2>
    <div class="scroll" tabindex="0" role="region" aria-label="Judges">
      <table class="stacked">
        <thead>
          <tr>
            ${HEADS.map((text) => html`<th>${text}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${answer.judges.map(
            (one) =>
              html`<${Row}
                key=${one.judge}
                path=${path}
                one=${one}
                agreement=${of(one)}
                done=${again}
              />`,
          )}
        </tbody>
      </table>
    </div>
    <p class="quiet small">
      Questions of ${plural(answer.days, 'day')} and of the version that is in the model file.
    </p>`
}
