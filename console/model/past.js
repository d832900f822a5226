/** What was active at an earlier time. */
import { html } from '/console/vendor/preact.js'
import { request } from '../parts/page.js'
import { asOfQuery } from '../parts/range.js'
import { Badge, Failed, Loading, useAnswer } from '../parts/ui.js'
import { day, metricName, subjectName } from '../parts/words.js'

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
