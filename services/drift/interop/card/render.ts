/** A model card as Markdown and as HTML; every text is escaped. Pure. */
import { escaped } from '../../report/markup.ts'
import type { CardSection } from './sections.ts'

/** What stands above the sections. */
export interface CardHead {
  model_id: string
  made_at: string
}

const oneLine = (text: string) => text.replaceAll(/\s+/gu, ' ').trim()

/** A text that Markdown shows as it is: no markup, link, table cell or tag of its own. */
const plain = (text: string) =>
  oneLine(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll(/[\\`*_{}[\]()#+!|~>-]/gu, (sign) => `\\${sign}`)

const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`

/** The card as Markdown with tables (GitHub's). */
export function markdownOf({ model_id, made_at }: CardHead, sections: readonly CardSection[]) {
  const parts = sections.flatMap(({ title, texts, missing, table }) => [
    `## ${plain(title)}`,
    ...(texts.length > 0 ? [texts.map((text) => `- ${plain(text)}`).join('\n')] : []),
    ...(missing.length > 0
      ? [missing.map((text) => `- **Missing**: ${plain(text)}`).join('\n')]
      : []),
    ...(table && table.rows.length > 0
      ? [
          [
            row(table.columns.map(plain)),
            row(table.columns.map(() => '---')),
            ...table.rows.map((cells) => row(cells.map(plain))),
          ].join('\n'),
        ]
      : []),
  ])
  return `${[`# Model card: ${plain(model_id)}`, `Made at ${plain(made_at)}.`, ...parts].join('\n\n')}\n`
}

const wrapped = (tag: string, texts: readonly string[]) =>
  texts.map((text) => `<${tag}>${text}</${tag}>`).join('')

/** The card as a page of its own, without script. */
export function htmlOf({ model_id, made_at }: CardHead, sections: readonly CardSection[]): string {
  const parts = sections.map(({ title, texts, missing, table }) => {
    const lines = [
      ...texts.map(escaped),
      ...missing.map((text) => `<strong>Missing</strong>: ${escaped(text)}`),
    ]
    const shown =
      table && table.rows.length > 0
        ? `<table><thead><tr>${wrapped('th', table.columns.map(escaped))}</tr></thead><tbody>${wrapped(
            'tr',
            table.rows.map((cells) => wrapped('td', cells.map(escaped))),
          )}</tbody></table>`
        : ''
    return `<section><h2>${escaped(title)}</h2>${lines.length > 0 ? `<ul>${wrapped('li', lines)}</ul>` : ''}${shown}</section>`
  })
  const name = escaped(model_id)
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Model card: ${name}</title><link rel="stylesheet" href="/console/parts/tokens.css"><link rel="stylesheet" href="/console/parts/style.css"></head><body><main><h1>Model card: <bdi>${name}</bdi></h1><p>Made at ${escaped(made_at)}.</p>${parts.join('')}</main></body></html>\n`
}
