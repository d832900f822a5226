/** What happened in the order of time: what, who, why and when. */
import { html } from '/console/vendor/preact.js'
import { actorName } from './states.js'
import { Ago, Mark } from './ui.js'

/**
 * @param {{ steps: readonly { what: string, verdict: import('./words.js').Verdict, who: string, inStead?: string, why: string, at: string }[], label: string }} props
 */
export const Timeline = ({ steps, label }) =>
  html`<ol class="timeline-steps" aria-label=${label}>
    ${steps.map(
      ({ what, verdict, who, inStead, why, at }) =>
        html`<li>
          <${Mark} verdict=${verdict} />
          <div>
            <b>${what}</b>${' '}
            <span class="quiet"
              >${who ? html`by <bdi>${actorName(who)}</bdi>${inStead ? html` for <bdi>${actorName(inStead)}</bdi>` : ''}, ` : ''}<${Ago}
                time=${at}
            /></span>
            ${why && html`<div class="quiet why"><bdi>${why}</bdi></div>`}
          </div>
        </li>`,
    )}
  </ol>`
