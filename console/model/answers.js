/**
 * What matters of a language model first: what judges its answers, what they cost, how fast they
 * come, what agents did, what the texts are like, how answers ended, and all of it by prompt.
 */
import { html } from '/console/vendor/preact.js'
import { request } from '../parts/page.js'
import { DistributionView } from '../parts/distribution.js'
import { asOfQuery, newestRows, ownRows, rangeKey, rangeQuery } from '../parts/range.js'
import { Empty, Failed, Loading, useAnswer } from '../parts/ui.js'
import { day } from '../parts/words.js'
import { Features } from './features.js'
import { Judges } from './judges.js'
import { Prompts } from './prompts.js'
import { byJudgement } from './judgements.js'
import { Charts, RestsOn } from './tabs.js'

/** @typedef {import('../../schemas/http/metric-results.ts').WindowMetric} WindowMetric */

/** Operations in the order in which people ask for them. */
const SPEED = [
  'time_to_first_token_p50_ms',
  'time_to_first_token_p95_ms',
  'latency_p95_ms',
  'output_tokens_per_s',
  'cost_usd',
  'input_tokens',
  'output_tokens',
  'error_ratio',
]
const TASKS = ['steps_per_task', 'tool_error_ratio', 'loop_ratio', 'cost_per_task_usd']
/** Features that are measured on texts, unless a pattern has a name of its own. */
const isDescriptor = (subject) => /^(?:input|output)_text\./.test(subject)

/** @param {WindowMetric[]} rows @param {readonly string[]} metrics */
const inOrder = (rows, metrics) =>
  rows
    .filter(({ metric }) => metrics.includes(metric))
    .toSorted((a, b) => metrics.indexOf(a.metric) - metrics.indexOf(b.metric))

/** How answers ended in the newest window, beside the baseline. */
function Endings({ path, window, range }) {
  const query = new URLSearchParams({
    ...{ subject: '@prediction', from: window.window_start, to: window.window_end },
  })
  const { answer, error, again } = useAnswer(
    () => request(`${path}/distributions?${query}${asOfQuery(range)}`),
    [window.window_start, window.window_end, range.asOf],
  )
  if (error) return html`<${Failed} error=${error} retry=${again} />`
  if (!answer) return html`<${Loading} what="finish reasons" />`
  return answer.bars.length === 0
    ? html`<${Empty}>
        No answer of the window to ${day(window.window_end)} says why it ended: spans say it by
        ${' '}<code>gen_ai.response.finish_reasons</code>, events by <code>prediction</code>.
      <//>`
    : html`<p class="quiet small">
          What events have as their prediction; window to ${day(window.window_end)}.
        </p>
        <${DistributionView} distribution=${answer} />`
}

/** Charts of what judges answers. @param {{ rows: WindowMetric[] } & Record<string, any>} props */
const Judgements = ({ rows, ...shared }) =>
  rows.length === 0
    ? html`<${Empty}>
        Nothing judges the answers of this range yet. Ratings, judges and reviewers send labels by a
        name of their own to ${' '}<code>/v1/labels</code>; <code>reference_scores</code> of the
        model file scores answers beside reference texts.
      <//>`
    : html`<${Charts} rows=${rows} ...${shared} />`

/** @param {{ path: string, model: any, address: any, change: any, range: any }} shared */
export function Answers(shared) {
  const { path, model, range } = shared
  const newest = async (family) => {
    const query = `family=${family}&newest=true${rangeQuery(range)}`
    return newestRows(ownRows((await request(`${path}/windows?${query}`)).metrics, model))
  }
  const { answer, error, again } = useAnswer(
    async () => ({ judged: await newest('feedback'), operated: await newest('operations') }),
    [rangeKey(range)],
  )
  if (error) return html`<${Failed} error=${error} retry=${again} />`
  if (!answer) return html`<${Loading} what="answers" tall />`
  const judged = answer.judged.toSorted(byJudgement)
  const [speed, tasks] = [SPEED, TASKS].map((metrics) => inOrder(answer.operated, metrics))
  const window = answer.operated.toSorted((a, b) => (a.window_end < b.window_end ? 1 : -1))[0]
  return html`<h2>What judges its answers</h2>
    <${Judgements} rows=${judged} ...${shared} />
    <${Judges} path=${path} />
    <h2>Speed and cost</h2>
    ${speed.length === 0 ? html`<${Empty}>No window of this range has closed.<//>` : html`<${Charts} rows=${speed} ...${shared} />`}
    ${
      tasks.length > 0 &&
      html`<h2>Tasks of agents</h2>
        <p class="quiet small">
          A task is all calls of one trace. Whether it succeeded is told by a label of its own, such
          as <code>task_success</code>, above.
        </p>
        <${Charts} rows=${tasks} ...${shared} />`
    }
    <h2>By prompt and model</h2>
    <${Prompts} judged=${judged} ...${shared} />
    <h2>What its texts are like</h2>
    <${Features} family="drift" isShown=${isDescriptor} ...${shared} />
    <h2>Finish reasons</h2>
    ${window ? html`<${Endings} path=${path} window=${window} range=${range} />` : html`<${Empty}>No window of this range has closed.<//>`}
    <${RestsOn} rows=${inOrder(answer.operated, ['throughput_per_s'])} />`
}
