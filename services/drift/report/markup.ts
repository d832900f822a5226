/** Markup whose every text is escaped, by construction. Pure. */

/** Markup that may stand in a page as it is. */
export class Markup {
  readonly source: string

  /** @param source what is known to be markup */
  constructor(source: string) {
    this.source = source
  }
}

/** What a template may hold; `undefined`, `null` and `false` are nothing. */
export type Part = string | number | Markup | undefined | null | false | readonly Part[]

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** A text for content and quoted attributes; what is no character of a page is `�`. */
export const escaped = (text: string): string =>
  text
    .toWellFormed()
    .replaceAll(/(?![\t\n\r])\p{Cc}/gu, '\ufffd')
    .replaceAll(/[&<>"']/g, (character) => ENTITIES[character]!)

function sourceOf(part: Part): string {
  if (part === undefined || part === null || part === false) return ''
  if (part instanceof Markup) return part.source
  if (typeof part === 'string') return escaped(part)
  return typeof part === 'number' ? String(part) : part.map(sourceOf).join('')
}

/** Markup of a template: what is filled in is text, unless it is markup itself. */
export const html = (strings: TemplateStringsArray, ...parts: readonly Part[]): Markup =>
  new Markup(strings.map((text, i) => text + (i < parts.length ? sourceOf(parts[i]) : '')).join(''))

/** JSON that ends no element and begins none, for an element that is not run. */
export const jsonText = (value: unknown): Markup =>
  new Markup(
    JSON.stringify(value)
      .replaceAll('<', '\\u003c')
      .replaceAll('\u2028', '\\u2028')
      .replaceAll('\u2029', '\\u2029'),
  )
