/**
 * The Elec2 stream: the New South Wales electricity market, half-hour by half-hour. Credits in
 * `data/README.md`.
 */
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

export interface Elec2Row {
  /** Place in the stream, from 0. */
  index: number
  /** Epoch milliseconds. */
  at: number
  /** Values in the order of {@link ELEC2_FEATURES}. */
  values: readonly number[]
  /** 1 when the price rose against the last 24 hours' mean. */
  label: 0 | 1
}

const HALF_HOUR_MS = 30 * 60_000
const ELEC2_START = Date.UTC(1996, 4, 7)
export const ELEC2_FEATURES = [
  'period',
  'nswprice',
  'nswdemand',
  'vicprice',
  'vicdemand',
  'transfer',
] as const

export function readElec2(): Elec2Row[] {
  const text = gunzipSync(readFileSync(new URL('data/elec2.csv.gz', import.meta.url))).toString()
  const [header = '', ...lines] = text.trim().split('\n')
  const columns = header.trim().split(',')
  const places = [...ELEC2_FEATURES, 'class'].map((name) => {
    const place = columns.indexOf(name)
    if (place === -1)
      throw new Error(`elec2.csv.gz has no column ${name}, only ${columns.join(', ')}`)
    return place
  })
  return lines.map((line, index) => {
    const cells = line.split(',')
    const values = places.map((place) => Number(cells[place]))
    return {
      index,
      at: ELEC2_START + index * HALF_HOUR_MS,
      values: values.slice(0, -1),
      label: values.at(-1) === 1 ? 1 : 0,
    }
  })
}
