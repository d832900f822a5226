/** How a report looks, on a screen and on A4. Pure. */
import { createHash } from 'node:crypto'

/** The style of a report, which is part of it. */
export const STYLE = `
:root { color-scheme: light dark; --ink: #171c22; --quiet: #56606c; --line: #d5dae1; --paper: #fff; --wash: #f4f6f8;
  --series: #1c58b8; --band: #d6e2f5; --ok: #13713f; --warning: #8a5200; --alarm: #bd2626; --incomplete: #5d4bb0; --none: #56606c }
@media screen and (prefers-color-scheme: dark) { :root { --ink: #e8ebef; --quiet: #a2adb9; --line: #29313b; --paper: #0f1318; --wash: #161b22;
  --series: #86b4ff; --band: #20344f; --ok: #58cf92; --warning: #efb04f; --alarm: #ff8585; --incomplete: #b3a7f5; --none: #a2adb9 } }
@page { size: A4; margin: 14mm 13mm 16mm }
* { box-sizing: border-box }
body { margin: 0; background: var(--paper); color: var(--ink); font: 14px/1.45 system-ui, sans-serif }
main { max-width: 780px; margin: 0 auto; padding: 24px 20px 48px }
h1 { font-size: 26px; margin: 0 0 4px; overflow-wrap: anywhere }
h2 { font-size: 17px; margin: 30px 0 8px; padding-top: 8px; border-top: 1px solid var(--line) }
h3 { font-size: 14px; margin: 16px 0 4px }
p, ul { margin: 6px 0 } ul { padding-left: 18px }
.quiet, dt { color: var(--quiet) } .lead { font-size: 16px } .past { border: 2px solid var(--incomplete); padding: 8px 12px }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 14px; margin: 8px 0 } dd { margin: 0; overflow-wrap: anywhere }
.scroll { overflow-x: auto }
table { border-collapse: collapse; width: 100%; font-size: 12px; margin: 6px 0 }
th { text-align: left; color: var(--quiet); font-weight: 600; border-bottom: 1px solid var(--quiet) }
th, td { padding: 3px 8px 3px 0; vertical-align: top } td { border-bottom: 1px solid var(--line) } .long, bdi { overflow-wrap: anywhere }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap } .nowrap { white-space: nowrap }
.hash { font-family: ui-monospace, monospace; font-size: 11px; overflow-wrap: anywhere }
.verdict { white-space: nowrap; font-weight: 600 }
.verdict.ok { color: var(--ok) } .verdict.warning { color: var(--warning) } .verdict.alarm { color: var(--alarm) }
.verdict.incomplete { color: var(--incomplete) } .verdict.none { color: var(--none); font-weight: 400 }
figure { margin: 10px 0 } figcaption { display: flex; justify-content: space-between; flex-wrap: wrap; gap: 2px 16px } figcaption b { font-weight: 600 }
svg { width: 100%; height: auto; display: block } svg text { font: 10px system-ui, sans-serif; fill: var(--quiet) }
svg .grid { stroke: var(--line) } svg .band { fill: var(--band) } svg .whisker { stroke: var(--band); stroke-width: 4 }
svg .value { fill: none; stroke: var(--series); stroke-width: 1.6 } svg .baseline { fill: none; stroke: var(--quiet); stroke-dasharray: 6 4 }
svg circle { fill: var(--series) } svg circle.incomplete { fill: var(--paper); stroke: var(--incomplete); stroke-width: 1.4 }
svg path.alarm { fill: var(--alarm) } svg path.warning { fill: var(--warning) } svg.spark { width: 110px; height: 20px }
@media (max-width: 560px) { main { padding: 16px 12px } dl { grid-template-columns: 1fr } dt { margin-top: 4px } table { min-width: 720px } }
@media print { :root { color-scheme: light } body { font-size: 10.5pt } main { max-width: none; padding: 0 } table { font-size: 8.5pt }
  h2, h3 { break-after: avoid } tr, figure, li { break-inside: avoid } thead { display: table-header-group } .scroll { overflow: visible }
  svg, .verdict { print-color-adjust: exact; -webkit-print-color-adjust: exact } .screen { display: none } a { color: inherit } }
`

/** What a browser may do with a report: show it, with this style, and nothing else. */
export const REPORT_POLICY = `default-src 'none'; img-src data:; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`
