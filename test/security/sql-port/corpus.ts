/**
 * Statements as strangers and clients send them, kept as data so that they can be replayed against
 * any running port.
 */
import { readFileSync } from 'node:fs'

export interface Sent {
  sql: string
  /** Further parameters of the URL. */
  url: string
  client: string
}

interface Entry {
  sql?: string
  /** Texts and how often each is repeated, for statements too long to be written down. */
  parts?: [string, number][]
  url?: string
  client?: string
}

/** Entries of a file of the corpus, in its order. */
export function corpus(name: 'refused' | 'answered' | 'recorded'): Sent[] {
  const text = readFileSync(new URL(`./${name}.json`, import.meta.url), 'utf8')
  return (JSON.parse(text) as Entry[]).map(({ sql, parts = [], url = '', client = '' }) => ({
    sql: sql ?? parts.map(([part, times]) => part.repeat(times)).join(''),
    url,
    client,
  }))
}
