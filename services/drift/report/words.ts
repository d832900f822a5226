/** Numbers and times as a report writes them. Pure. */
import { metricInWords } from '../../../lib/models/alarm-sentences.ts'

/** Four significant digits; a dash where nothing is known. */
export function number(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–'
  const size = Math.abs(value)
  if (size !== 0 && (size < 1e-4 || size >= 1e9)) return value.toExponential(2)
  return size >= 1000
    ? Math.round(value).toLocaleString('en')
    : String(Number(value.toPrecision(4)))
}

/** A share as a percentage. */
export const percent = (share: number | null | undefined): string =>
  share === null || share === undefined ? '–' : `${Number((share * 100).toPrecision(3))} %`

/** A time to the minute, in UTC. */
export const minute = (time: string): string => time.slice(0, 16).replace('T', ' ')

/** A count with its noun. */
export const plural = (n: number, what: string): string =>
  `${n.toLocaleString('en')} ${what}${n === 1 ? '' : 's'}`

/** The name of a metric as people read it. */
export const metricName = (metric: string): string => {
  const text = metricInWords(metric)
  return text.slice(0, 1).toUpperCase() + text.slice(1)
}

/** A text within a length, with an ellipsis where it is cut. */
export const cut = (text: string, most: number): string =>
  text.length <= most ? text : `${text.slice(0, most - 1)}…`
