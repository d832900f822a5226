/** Entries of the audit log as rows. */
import { html } from '/console/vendor/preact.js'
import { actorName, inWords } from '../parts/states.js'
import { Ago } from '../parts/ui.js'
import { episodePath, sentence } from '../parts/words.js'

/** @typedef {import('typebox').Static<typeof import('../../schemas/http/pages/audit.ts').AuditAnswer>['entries'][number]} Entry */

const KINDS = {
  run: 'run',
  verdict: 'alarm',
  reference: 'reference',
  model_file: 'model file',
  source_file: 'source file',
  key: 'API key',
  subject: 'data of a person',
  retention: 'old rows',
}
const DID = {
  approve: 'approved',
  note: 'noted',
  accept: 'accepted as normal',
  dismiss: 'dismissed',
  snooze: 'snoozed',
  put: 'set',
}

/** An action in words, such as `run: awaiting approval`. @param {string} action */
function didWhat(action) {
  const [kind = '', ...rest] = action.split('.')
  const what = rest.map((word) => DID[word] ?? inWords(word)).join(': ')
  return sentence(`${KINDS[kind] ?? inWords(kind)}: ${what}`)
}

const text = (value) => (typeof value === 'string' ? value : '')

/** Why it was done, where somebody said so. @param {Entry} entry */
const whyOf = ({ detail }) => text(detail.message) || text(detail.comment) || text(detail.reason)

/** The page of what it was done to, where there is one. @param {Entry} entry */
function pathOf({ action, subject, detail }) {
  if (action.startsWith('run.')) return `/runs?run=${encodeURIComponent(subject)}`
  if (action.startsWith('verdict.')) return episodePath(text(detail.model_id), subject)
  return ''
}

/** @param {{ entry: Entry }} props */
function Row({ entry }) {
  const path = pathOf(entry)
  const model = text(entry.detail.model_id)
  const subject = html`<bdi class="clip" title=${entry.subject}>${entry.subject}</bdi>`
  return html`<tr>
    <td class="number quiet">${entry.sequence}</td>
    <td><${Ago} time=${entry.at} /></td>
    <td class="name"><bdi title=${entry.actor}>${actorName(entry.actor)}</bdi></td>
    <td class="did">
      <b>${didWhat(entry.action)}</b>
      <div class="small">${path ? html`<a href=${path}>${subject}</a>` : subject}</div>
    </td>
    <td class="name">
      ${model && html`<a title=${model} href="/models/${encodeURIComponent(model)}"><bdi>${model}</bdi></a>`}
    </td>
    <td class="quiet what"><bdi>${whyOf(entry) || '–'}</bdi></td>
    <td>
      <details class="as-table">
        <summary aria-label="Entry ${entry.sequence} as it is kept">Entry</summary>
        <pre tabindex="0">${JSON.stringify(entry, null, 1)}</pre>
      </details>
    </td>
  </tr>`
}

/** @param {{ entries: Entry[] }} props */
export const Entries = ({ entries }) =>
  html`<div class="scroll" tabindex="0" role="region" aria-label="Entries">
    <table class="audit stacked">
      <thead>
        <tr>
          <th class="number">No.</th>
          <th>When</th>
          <th>Who</th>
          <th>What</th>
          <th>Model</th>
          <th>Why</th>
          <th><span class="hidden">As it is kept</span></th>
        </tr>
      </thead>
      <tbody>
        ${entries.map((entry) => html`<${Row} key=${entry.sequence} entry=${entry} />`)}
      </tbody>
    </table>
  </div>`
