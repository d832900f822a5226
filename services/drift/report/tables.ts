/** Tables and verdicts of a report. Pure. */
import { html, type Markup, type Part } from './markup.ts'

const SIGNS = { alarm: '◆', warning: '▲', ok: '●', incomplete: '○', none: '–' } as const

/** Characters of a text that is broken anywhere: it may hold one long name. */
const LONG = 60

/** A verdict as a sign and a word. */
export const verdictOf = (verdict: keyof typeof SIGNS): Markup =>
  html`<span class="verdict ${verdict}"
    >${SIGNS[verdict]} ${verdict === 'none' ? 'informs' : verdict}</span
  >`

/**
 * A table that scrolls by itself on a narrow screen.
 *
 * @param heads names of columns; those that begin with `#` hold numbers
 * @param rows one cell for each head
 */
export function tableOf(heads: readonly string[], rows: readonly (readonly Part[])[]): Markup {
  const className = (i: number, cell: Part = '') =>
    heads[i]!.startsWith('#')
      ? 'number'
      : typeof cell === 'string' && cell.length > LONG
        ? 'long'
        : ''
  return html`<div
    class="scroll"
    tabindex="0"
    role="region"
    aria-label="${heads[1]!.replace('#', '')} by row"
  >
    <table>
      <thead>
        <tr>
          ${heads.map((head, i) => html`<th scope="col" class="${className(i)}">${head.replace('#', '')}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (row) =>
            html`<tr>
              ${row.map((cell, i) => html`<td class="${className(i, cell)}">${cell}</td>`)}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`
}
