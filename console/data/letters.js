/** Messages that were refused, with their first bytes, for those who may see them. */
import { html, useState } from '/console/vendor/preact.js'
import { request } from '../parts/page.js'
import { Ago, Failed, Loading, useAnswer } from '../parts/ui.js'
import { bytes } from '../parts/words.js'

/** @typedef {import('typebox').Static<typeof import('../../schemas/http/pages/data-health.ts').LettersAnswer>['letters'][number]} Letter */

const SHOWN = 20

/** Bytes as text; what is no UTF-8 is shown as \ufffd. @param {string} base64 */
const asText = (base64) =>
  new TextDecoder().decode(Uint8Array.from(atob(base64), (byte) => byte.charCodeAt(0)))

/** @param {{ letter: Letter }} props */
function One({ letter }) {
  const { topic, partition, offset, message, received_at: at, value, value_bytes: all } = letter
  const shown = Math.floor((value.length * 3) / 4)
  const size = Number(all)
  return html`<li>
    <p>
      <b><bdi>${message}</bdi></b
      >${' '}
      <span class="quiet"
        ><${Ago} time=${at} />, <bdi>${topic}</bdi> ${partition && `partition ${partition}`}, offset
        ${` ${offset}`}, ${bytes(size)}${size > shown ? ', of which the first are shown' : ''}</span
      >
    </p>
    <pre tabindex="0" aria-label="Value of the message at offset ${offset}">
${asText(value) || '(no bytes)'}</pre>
  </li>`
}

/** @param {{ topic: string, reason: string }} props */
export function Letters({ topic, reason }) {
  const [after, setAfter] = useState('')
  const query = new URLSearchParams({
    ...{ reason, limit: String(SHOWN) },
    ...(topic !== '' && { topic }),
    ...(after !== '' && { after }),
  })
  const { answer, error, isStale, again } = useAnswer(
    () => request(`/v1/dead-letters?${query}`),
    [after],
  )
  if (error) return html`<${Failed} error=${error} retry=${again} />`
  if (!answer) return html`<${Loading} what="messages" />`
  if (answer.letters.length === 0) return html`<p class="quiet">None is kept.</p>`
  return html`<section
    class=${isStale ? 'stale' : ''}
    aria-label="Messages refused as ${reason.replaceAll('_', ' ')}"
  >
    <h3>Messages refused as ${reason.replaceAll('_', ' ')}</h3>
    <ul class="plain letters">
      ${answer.letters.map((letter) => html`<${One} letter=${letter} />`)}
    </ul>
    ${
      (after !== '' || answer.next) &&
      html`<nav class="row" aria-label="Pages of the messages">
        ${after !== '' && html`<button onClick=${() => setAfter('')}>Newest</button>`}
        ${answer.next && html`<button onClick=${() => setAfter(answer.next)}>Older</button>`}
      </nav>`
    }
  </section>`
}
