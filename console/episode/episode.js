/** One alert episode, on one screen: what is wrong, what it rests on, what was done, what to do. */
import { html, render, useState } from '/console/vendor/preact.js'
import { request, show } from '../parts/page.js'
import { Acts, Done } from './acts.js'
import { Moved, Performance, Similar } from './evidence.js'
import { SpanExamples } from '../parts/examples.js'
import { asOfQuery } from '../parts/range.js'
import { asOfOf, PastNote } from '../parts/as-of.js'
import { Badge, Failed, Loading, Mark, useAddress, useAnswer } from '../parts/ui.js'
import { ago, day, duration, percent, plural, sentence } from '../parts/words.js'

/** @typedef {import('../../schemas/http/episodes.ts').EpisodeAnswer} Episode */

const [id = '', , name = ''] = location.pathname.split('/').slice(2).map(decodeURIComponent)
document.title = `Episode of ${id} · Plumbline`
const path = `/v1/models/${encodeURIComponent(id)}`
const own = `${path}/episodes/${encodeURIComponent(name)}`

/** A number of the evidence with what it is called. @param {{ what: string, is: any, more?: string, title?: string }} props */
const Fact = ({ what, is, more, title }) =>
  html`<div title=${title}>
    <dt>${what}</dt>
    <dd><b>${is}</b>${more && html` <span class="quiet">${more}</span>`}</dd>
  </div>`

/** What the episode rests on. @param {{ episode: Episode }} props */
function Evidence({ episode }) {
  const { evidence, windows } = episode
  const sum = (key) => evidence.reduce((total, one) => total + Number(one[key]), 0)
  const events = sum('events')
  const labelled = sum('labelled')
  const known = evidence.map((one) => one.completeness).filter((share) => share !== null)
  const least = known.length === 0 ? null : Math.min(...known)
  const maturity = evidence.at(-1)?.label_maturity ?? null
  const cut = windows > evidence.length ? `of the newest ${evidence.length} windows` : ''
  return html`<dl class="evidence" aria-label="What it rests on">
    <${Fact}
      what="Since"
      is=${day(episode.since)}
      more=${ago(episode.since, Date.now())}
      title="End of the first window that alarmed, UTC"
    />
    <${Fact}
      what="Windows"
      is=${windows}
      more=${`${duration(Date.parse(episode.until) - Date.parse(evidence[0]?.window_start ?? episode.since))} of data, to ${day(episode.until)}`}
    />
    <${Fact} what="Events" is=${events.toLocaleString('en')} more=${cut} />
    <${Fact}
      what="Labelled"
      is=${labelled.toLocaleString('en')}
      more=${events > 0 ? percent(labelled / events) : ''}
    />
    <${Fact}
      what="Label maturity"
      is=${maturity === null ? 'unknown' : percent(maturity)}
      more="in the newest window"
      title=${maturity === null ? 'The model has no label horizon, or no label came' : 'Age of the labels as a share of the label horizon'}
    />
    <${Fact}
      what="Completeness"
      is=${least === null ? 'unknown' : percent(least)}
      more=${least === null ? 'senders do not number' : 'at the least'}
      title="Share of the events that were sent which came"
    />
  </dl>`
}

/** Each window in the shape of its worst verdict. @param {{ episode: Episode }} props */
const Strip = ({ episode: { evidence } }) =>
  html`<ol class="strip" aria-label="Windows of the episode">
    ${evidence.map(
      (one) =>
        html`<li
          class=${one.worst}
          title="${day(one.window_start)} to ${day(one.window_end)}: ${one.worst}, ${plural(Number(one.events), 'event')}"
        >
          <${Mark} verdict=${one.worst} /><span class="hidden"
            >${day(one.window_end)}: ${one.worst}</span
          >
        </li>`,
    )}
  </ol>`

/** @param {{ episode: Episode }} props */
const Head = ({ episode }) =>
  html`<div class="model-head">
    <p class="quiet small above">
      <a href="/models/${encodeURIComponent(id)}"><bdi>${id}</bdi></a> / alert episode
    </p>
    <h1><bdi>${sentence(episode.headline) || 'Nothing of it alarms any more'}</bdi></h1>
    <div class="standing row">
      <${Badge}
        verdict=${episode.ended === 'active' ? episode.severity : 'ok'}
        text=${episode.ended === 'active' ? `active, ${episode.severity}` : episode.ended === 'by itself' ? 'ended by itself' : episode.ended}
      />
      <${Strip} episode=${episode} />
    </div>
    <${Evidence} episode=${episode} />
  </div>`

function Page() {
  const [stamp, setStamp] = useState(0)
  const [address, change] = useAddress()
  const asOf = asOfOf(address)
  const { answer, error, again } = useAnswer(
    () => request(`${own}?${asOfQuery({ asOf }).slice(1)}`),
    [stamp, asOf],
  )
  const title = html`<h1>Alert episode of <bdi>${id}</bdi></h1>`
  if (error) return html`${title}<${Failed} error=${error} retry=${again} />`
  /** @type {Episode | undefined} */
  const episode = answer
  if (!episode) return html`${title}<${Loading} what="the episode" tall />`
  const shared = { id, path, episode }
  return html`${asOf && html`<${PastNote} asOf=${asOf} back=${() => change({ as_of: undefined })} />`}
    <${Head} episode=${episode} />
    <div class="top episode">
      <div class="column">
        <${Moved} ...${shared} />
        <${Performance} ...${shared} />
      </div>
      <div class="column">
        ${!asOf && html`<${Acts} ...${shared} own=${own} decided=${() => setStamp(stamp + 1)} />`}
        <${Done} episode=${episode} />
        <${Similar} ...${shared} />
      </div>
    </div>
    <section class="panel" aria-labelledby="rows">
      <h2 id="rows">Sample rows</h2>
      <${SpanExamples}
        path=${path}
        from=${episode.evidence[0]?.window_start ?? episode.since}
        to=${episode.until}
      />
    </section>`
}

await show(async (main) => render(html`<${Page} />`, main))
