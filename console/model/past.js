/** What was known at a time: choosing it, saying so, and what was active then. */
import { html, useState } from '/console/vendor/preact.js'
import { request } from '../parts/page.js'
import { asOfQuery } from '../parts/range.js'
import { Badge, Failed, Loading, useAnswer } from '../parts/ui.js'
import { day, metricName, subjectName } from '../parts/words.js'

/** Asks of what time the page shall tell. @param {{ asOf: string | undefined, change: any }} props */
export function PastPicker({ asOf, change }) {
  const [isOpen, setOpen] = useState(false)
  const go = (event) => {
    event.preventDefault()
    const time = new FormData(event.target).get('at')
    setOpen(false)
    change({ as_of: new Date(`${time}Z`).toISOString(), feature: undefined })
  }
  return html`<span class="past-picker">
    <button class="link" aria-expanded=${isOpen} onClick=${() => setOpen(!isOpen)}>
      What was known at a time
    </button>
    ${
      isOpen &&
      html`<form class="row" onSubmit=${go}>
        <label
          >Known at, UTC
          <input
            type="datetime-local"
            name="at"
            required
            value=${(asOf ?? new Date().toISOString()).slice(0, 16)}
        /></label>
        <button class="primary">Show</button>
      </form>`
    }
  </span>`
}

/**
 * Alert episodes that were active then, where the acts on alarms stand today. @param {{ path:
 * string, range: any }} props
 */
export function ActiveThen({ path, range }) {
  const { answer, error, again } = useAnswer(
    () => request(`${path}/episodes?limit=50${asOfQuery(range)}`),
    [range.asOf],
  )
  const active = answer?.episodes.filter(({ ended }) => ended === 'active')
  return html`<section class="panel alarms" aria-labelledby="alarms">
    <h2 id="alarms">Active then</h2>
    ${error && html`<${Failed} error=${error} retry=${again} />`}
    ${!answer && !error && html`<${Loading} what="episodes" />`}
    ${active?.length === 0 && html`<p class="quiet">Nothing was active.</p>`}
    <ul>
      ${active?.map(
        (episode) =>
          html`<li key=${episode.episode}>
            <p>
              <${Badge} verdict=${episode.severity} /> since ${day(episode.since)}${' '}
              <a
                href="${path.slice(3)}/episodes/${encodeURIComponent(episode.episode)}?as_of=${encodeURIComponent(range.asOf)}"
                >episode</a
              >
            </p>
            <p class="quiet small">
              ${episode.alarms
                .slice(0, 5)
                .map(({ metric, subject }) =>
                  subject === ''
                    ? metricName(metric)
                    : `${metricName(metric)} of ${subjectName(subject)}`,
                )
                .join(', ')}
            </p>
          </li>`,
      )}
    </ul>
  </section>`
}
