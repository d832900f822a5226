/** Data health: what was refused, lost, repeated or waits, how far behind, and the disk. */
import { html, render } from '/console/vendor/preact.js'
import { request, show } from '../parts/page.js'
import { Ago, Badge, Empty, Failed, Loading, Mark, useAddress, useAnswer } from '../parts/ui.js'
import { bytes, percent, plural } from '../parts/words.js'
import { Letters } from './letters.js'

/** @typedef {import('typebox').Static<typeof import('../../schemas/http/pages/data-health.ts').DataHealthAnswer>} Health */

const count = (text) => Number(text).toLocaleString('en')

/** A table that scrolls by itself where the page is narrow. */
const Table = ({ label, heads, children }) =>
  html`<div class="scroll" tabindex="0" role="region" aria-label=${label}>
    <table>
      <thead>
        <tr>
          ${heads.map(([text, isNumber]) => html`<th class=${isNumber ? 'number' : ''}>${text}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${children}
      </tbody>
    </table>
  </div>`

/** @param {{ health: Health, address: Record<string, string>, change: any }} props */
function Refused({ health: { letters }, address, change }) {
  const lastDay = letters.reduce((sum, one) => sum + one.last_day, 0)
  return html`<section class="panel" aria-labelledby="refused">
    <h2 id="refused">
      Dead letters${' '}<span class="quiet"
        >${plural(lastDay, 'message')} refused in the last 24 hours</span
      >
    </h2>
    ${
      letters.length === 0
        ? html`<p class="quiet">Every message that came was stored.</p>`
        : html`<${Table}
            label="Dead letters by reason"
            heads=${[['Reason'], ['Rule that was broken'], ['Topic'], ['24 hours', true], ['In all', true], ['Newest'], ['Bytes']]}
          >
            ${letters.map((one) => {
              const isOpen = address.reason === one.reason && address.topic === one.topic
              return html`<tr key=${`${one.topic} ${one.reason}`}>
                <td class="reason">
                  <${Mark} verdict=${one.last_day > 0 ? 'alarm' : 'none'} />${' '}<b
                    >${one.reason.replaceAll('_', ' ')}</b
                  >
                </td>
                <td>
                  ${one.rule}
                  <div class="quiet small">
                    The newest was told: <bdi>${one.newest_message}</bdi>
                  </div>
                </td>
                <td class="quiet"><bdi>${one.topic}</bdi></td>
                <td class="number">${count(one.last_day)}</td>
                <td class="number">${count(one.letters)}</td>
                <td><${Ago} time=${one.newest_at} /></td>
                <td>
                  <button
                    aria-expanded=${isOpen}
                    aria-label=${`Messages refused as ${one.reason.replaceAll('_', ' ')} of ${one.topic}`}
                    onClick=${() => change(isOpen ? { reason: undefined, topic: undefined } : { reason: one.reason, topic: one.topic })}
                  >
                    Messages
                  </button>
                </td>
              </tr>`
            })}
          <//>`
    }
    ${address.reason && html`<${Letters} key=${`${address.topic} ${address.reason}`} topic=${address.topic ?? ''} reason=${address.reason} />`}
    <p class="quiet small">
      What refused them is mended first; then <code>npm run redrive</code> puts them back into their
      topic.
    </p>
  </section>`
}

/** @param {{ health: Health }} props */
function Producers({ health: { producers, producers_in_all: all } }) {
  return html`<section class="panel" aria-labelledby="producers">
    <h2 id="producers">
      Lost and repeated events${' '}<span class="quiet"
        >${plural(all, 'producer numbers', 'producers number')} their events</span
      >
    </h2>
    ${
      producers.length === 0
        ? html`<p class="quiet">
            No producer numbers its events (<code>producer.sequence</code>), so what was lost is not
            known.
          </p>`
        : html`<${Table}
            label="Producers"
            heads=${[['Producer'], ['Model'], ['Emitted', true], ['Came', true], ['Lost', true], ['Came again', true]]}
          >
            ${producers.map(
              (one) =>
                html`<tr key=${`${one.model_id} ${one.producer}`}>
                  <td class="name" title=${one.producer}><bdi>${one.producer}</bdi></td>
                  <td class="name">
                    <a href="/models/${encodeURIComponent(one.model_id)}"
                      ><bdi>${one.model_id}</bdi></a
                    >
                  </td>
                  <td class="number">${count(one.emitted)}</td>
                  <td class="number">${count(one.received)}</td>
                  <td class="number">
                    ${
                      one.lost === '0'
                        ? '0'
                        : html`<span class="alarm"
                              ><${Mark} verdict="alarm" />${' '}${count(one.lost)}</span
                            >${' '}<span class="quiet"
                              >${percent(Number(one.lost) / Number(one.emitted))}</span
                            >`
                    }
                  </td>
                  <td class="number">${count(one.duplicates)}</td>
                </tr>`,
            )}
          <//>`
    }
    ${all > producers.length && html`<p class="quiet small">The ${producers.length} that lost most, of ${all}.</p>`}
    <p class="quiet small">
      A repeated event counts once. A lost one is a gap in the numbers of its producer; it is gone
      from here once it comes.
    </p>
  </section>`
}

/** @param {{ health: Health }} props */
const Stored = ({ health: { stored } }) =>
  html`<section class="panel" aria-labelledby="stored">
    <h2 id="stored">How far behind</h2>
    ${
      stored.length === 0
        ? html`<p class="quiet">Nothing has been stored yet.</p>`
        : html`<${Table}
            label="Topics"
            heads=${[['Topic'], ['Not stored yet', true], ['Stored last'], ['24 hours', true], ['Refused', true], ['Repeated', true]]}
          >
            ${stored.map(
              (one) =>
                html`<tr key=${one.topic}>
                  <td><bdi>${one.topic}</bdi></td>
                  <td class="number">
                    ${one.behind === null ? html`<span class="quiet" title="Another process stores this topic">not known here</span>` : count(one.behind)}
                  </td>
                  <td><${Ago} time=${one.newest_at} /></td>
                  <td class="number">${count(one.messages)}</td>
                  <td class="number">${count(one.refused)}</td>
                  <td class="number">${count(one.repeats)}</td>
                </tr>`,
            )}
          <//>`
    }
  </section>`

/** @param {{ health: Health }} props */
const Waiting = ({ health: { waiting } }) =>
  html`<section class="panel" aria-labelledby="waiting">
    <h2 id="waiting">Labels that wait for their prediction</h2>
    ${
      waiting.length === 0
        ? html`<p class="quiet">None waits.</p>`
        : html`<${Table}
            label="Waiting labels"
            heads=${[['Model'], ['Labels', true], ['The oldest since']]}
          >
            ${waiting.map(
              (one) =>
                html`<tr key=${one.model_id}>
                  <td>
                    <a href="/models/${encodeURIComponent(one.model_id)}"
                      ><bdi>${one.model_id}</bdi></a
                    >
                  </td>
                  <td class="number">${count(one.labels)}</td>
                  <td><${Ago} time=${one.since} /></td>
                </tr>`,
            )}
          <//>`
    }
  </section>`

/** Below this share of a disk writing is soon refused. */
const SHORT = 0.1

/** @param {{ health: Health }} props */
function Disk({ health: { disk } }) {
  const { free_bytes: free, total_bytes: total, tables } = disk
  const isShort = free !== null && total !== null && free < total * SHORT
  return html`<section class="panel" aria-labelledby="disk">
    <h2 id="disk">Disk</h2>
    ${
      free !== null &&
      total !== null &&
      html`<p>
        <${Badge}
          verdict=${isShort ? 'alarm' : 'ok'}
          text=${isShort ? 'nearly full' : 'room'}
        />${' '} ${bytes(free)} of ${bytes(total)} are free
        (${percent(total === 0 ? null : free / total)}) where the data folder is.
      </p>`
    }
    ${
      tables.length > 0 &&
      html`<${Table} label="Tables" heads=${[['Table'], ['On disk', true], ['Rows', true]]}>
        ${tables.map(
          (one) =>
            html`<tr key=${one.table}>
              <td><code>${one.table}</code></td>
              <td class="number">${bytes(one.bytes)}</td>
              <td class="number">${count(one.rows)}</td>
            </tr>`,
        )}
      <//>`
    }
  </section>`
}

function Page() {
  const [address, change] = useAddress()
  const { answer, error, isStale, again } = useAnswer(() => request('/v1/data-health'), [])
  return html`<div class="bar-row">
      <h1 class="grow">Data health</h1>
      ${answer && html`<button onClick=${again} disabled=${isStale}>Look again</button>`}
    </div>
    ${error && html`<${Failed} error=${error} retry=${again} />`}
    ${!answer && !error && html`<${Loading} what="dead letters, producers, topics and tables" tall />`}
    ${answer?.problems.map((problem) => html`<${Failed} error=${new Error(problem)} />`)}
    ${
      answer &&
      (answer.stored.length + answer.letters.length === 0
        ? html`<${Empty}>No event has come yet.<//>`
        : html`<div class="stack ${isStale ? 'stale' : ''}">
            <${Refused} health=${answer} address=${address} change=${change} />
            <${Producers} health=${answer} />
            <${Stored} health=${answer} />
            <${Waiting} health=${answer} />
            <${Disk} health=${answer} />
          </div>`)
    }`
}

await show(async (main) => render(html`<${Page} />`, main))
