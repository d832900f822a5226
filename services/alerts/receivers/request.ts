/** Requests by which receivers are told, before they are sent. Pure. */
import type { Message } from '../decide/messages.ts'

/** A request; its body is an object that is sent as JSON. */
export interface AlertRequest {
  method: 'POST' | 'PUT' | 'PATCH' | 'GET'
  url: string
  headers: Readonly<Record<string, string>>
  body?: Readonly<Record<string, unknown>>
}

/** An address and the path below it. */
export const below = (base: string, path: string): string => `${base.replace(/\/+$/, '')}${path}`

/** A text in which no letter begins markup of HTML, cut so that it is `most` long at most. */
export function escaped(text: string, most: number): string {
  let out = ''
  for (const letter of text) {
    const safe = ENTITIES[letter] ?? letter
    if (out.length + safe.length > most - 1) return `${out}…`
    out += safe
  }
  return out
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' }

/** The links of a message, by what they are called; those it lacks are left out. */
export const linksOf = ({ page, report, runbook }: Message): [name: string, url: string][] =>
  (
    [
      ['Page', page],
      ['Report', report],
      ['Runbook', runbook],
    ] as [string, string][]
  ).filter(([, url]) => /^https?:\/\/[^\s<>|]+$/.test(url))
