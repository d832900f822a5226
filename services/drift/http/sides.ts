/** The sides of a comparison as callers name them: a span or a reference, and which cohort of it. */
import type { Model } from '../../../lib/models/model-files.ts'
import { OTHER } from '../../../lib/models/slices.ts'
import type { Window } from '../../../lib/models/windows.ts'
import { Problem } from '../../../lib/runtime/errors.ts'
import type { SidesQuery } from '../../../schemas/http/metric-results.ts'
import type { Cohort } from '../data/cohort.ts'
import { asDeclared } from '../data/declared-features.ts'
import type { WindowCounts } from '../data/window-data.ts'
import type { SideWhere } from '../evaluate/beside/both-sides.ts'
import { MAX_EXACT } from '../loop/exact-followups.ts'
import { referencesFor, type ReferenceSpans } from '../plan/references.ts'
import type { DriftQueries } from '../queries/drift-queries.ts'
import { EVER } from '../queries/known-by.ts'
import { knownPast } from './known-past.ts'
import type { DriftRoutesOptions } from './model-routes.ts'
import { spanBetween } from './asked-times.ts'

type Options = Pick<DriftRoutesOptions, 'db' | 'queries'>
type Letter = 'a' | 'b'

/** One side of a comparison. */
export interface Side extends SideWhere {
  /** Absent for a span. */
  reference?: ReferenceSpans
}

/**
 * Both sides.
 *
 * @throws {Problem} 400 where a side is neither or both of span and reference, or its cohort is none
 *   of the model file; 404 where a reference has no span for these times
 */
export async function sidesOf(
  options: Options,
  model: Model,
  asked: SidesQuery,
): Promise<Record<Letter, Side>> {
  const spans = { a: spanOf('a', asked), b: spanOf('b', asked) }
  const side = async (letter: Letter): Promise<Side> => {
    const c = cohortOf(letter, model, asked)
    const own = spans[letter]
    if (own) return { spans: [own], c, countedAs: model.modelId }
    const window = spans[letter === 'a' ? 'b' : 'a']
    if (!window) throw refused('one of a and b must be two RFC 3339 times with a slash between')
    const name = asked[`${letter}_reference`]!
    return ofReference(model.modelId, await referenceOf(options, model, window, name), c)
  }
  return { a: await side('a'), b: await side('b') }
}

const refused = (message: string) => new Problem(400, 'invalid_request', message)

function spanOf(letter: Letter, asked: SidesQuery): Window | undefined {
  const between = asked[letter]
  if (asked[`${letter}_reference`] !== undefined) {
    if (between !== undefined) throw refused(`${letter} and ${letter}_reference exclude each other`)
    return undefined
  }
  return spanAsked(letter, between ?? '')
}

/** A span as `from/to`. @throws {Problem} 400 for what is none */
export function spanAsked(name: string, between: string): Window {
  const [from = '', to = ''] = between.split('/')
  return spanBetween(`${name} must be two RFC 3339 times with a slash between`, from, to)
}

function cohortOf(letter: Letter, model: Model, asked: SidesQuery): Cohort {
  const slice = asked[`${letter}_slice`]
  const whole = {
    modelVersion: asked[`${letter}_version`] ?? '',
    variant: asked[`${letter}_variant`] ?? '',
  }
  if (slice === undefined) return whole
  const at = slice.indexOf(':')
  const [key, value] = [slice.slice(0, at), slice.slice(at + 1)]
  const found = model.slices.find((one) => one.key === key)
  if (at < 1 || value === '' || !found)
    throw refused(
      `${letter}_slice must be key:value, the key one of ${model.slices.map((one) => one.key).join(', ') || 'the model file’s slices, which has none'}`,
    )
  if (value === OTHER)
    throw refused(`${letter}_slice: ${OTHER} holds other values in each window, and is no side`)
  return { ...whole, slice: { ...found, value } }
}

async function referenceOf(options: Options, model: Model, window: Window, name: string) {
  const all = referencesFor(window, model, await knownPast(options, model))
  const found = all.find((one) => one.name === name)
  if (!found)
    throw new Problem(404, 'unknown_reference', `the reference ${name} has no span for these times`)
  return found
}

function ofReference(modelId: string, reference: ReferenceSpans, c: Cohort): Side {
  const { spans, countedAs, modelVersion = '', name } = reference
  if (countedAs !== undefined && (c.slice || c.variant !== '' || c.modelVersion !== ''))
    throw refused(`the reference ${name} was uploaded, and is read as a whole`)
  return {
    reference,
    spans,
    c: { ...c, modelVersion: c.modelVersion === '' ? modelVersion : c.modelVersion },
    countedAs: countedAs ?? modelId,
  }
}

/**
 * Counts of a side, of events that had been received by `asOf` (epoch milliseconds): those that are
 * kept where no event came later, else the same from raw rows. A reference that was uploaded is as
 * it is.
 *
 * @throws {Problem} 400 where raw rows are to be read and the side holds more than are read
 */
export async function countsAsOf(
  queries: DriftQueries,
  model: Model,
  side: Side,
  asOf: number,
): Promise<WindowCounts> {
  if (!(await isKeptAsOf(queries, model, side, asOf)))
    return fromRows(queries, model, side, { exact: false, unweighted: false, asOf })
  return asDeclared(await queries.counts(side.countedAs, side.spans, side.c), model)
}

/** Whether the counts that are kept of a side are those of `asOf`, epoch milliseconds. */
export const isKeptAsOf = async (
  queries: DriftQueries,
  { modelId }: Model,
  { spans, c, countedAs }: Side,
  asOf: number,
): Promise<boolean> =>
  asOf === EVER ||
  countedAs !== modelId ||
  !(await queries.hasLaterEvents({ modelId, spans, c }, asOf))

/**
 * Counts of a side from raw rows.
 *
 * @param how `exact` makes every value a bin of its own: both sides of a comparison are, or neither
 *   is; `unweighted` counts sampled events as they came: other products know no weights; events that
 *   were received after `asOf` (epoch milliseconds) are left out
 * @throws {Problem} 400 where the side holds more events than are read one by one, or was uploaded
 */
export async function fromRows(
  queries: DriftQueries,
  model: Model,
  { spans, c, countedAs, reference }: Side,
  how: { exact: boolean; unweighted: boolean; asOf: number },
): Promise<WindowCounts> {
  const { modelId } = model
  const { asOf, ...options } = how
  if (countedAs !== modelId)
    throw new Problem(
      400,
      'no_rows',
      `exact numbers are made of events; of the reference ${reference?.name ?? ''} counts are kept`,
    )
  const present = await queries.present({ modelId, spans })
  const { events } = await queries.eventCounts(modelId, spans, c, present)
  if (events > MAX_EXACT)
    throw new Problem(
      400,
      'too_many_events',
      `exact numbers, and those of an earlier time, are made of at most ${MAX_EXACT} events a span; this one has ${events}`,
    )
  const known = asOf === EVER ? options : { ...options, asOf }
  return asDeclared(await queries.rawCounts(modelId, spans, c, known), model)
}
