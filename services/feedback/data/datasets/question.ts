/** What a caller asks of a data set, read and checked. */
import type { Model } from '../../../../lib/models/model-files.ts'
import { testsOf } from '../../../../lib/models/language/logic.ts'
import { parsePredicate, type Predicate } from '../../../../lib/models/predicates.ts'
import { Problem } from '../../../../lib/runtime/errors.ts'
import { didYouMean } from '../../../../lib/runtime/nearest-name.ts'
import { EARLIEST_MS } from '../../../../schemas/fields.ts'
import type { DatasetBody, DatasetManifest } from '../../../../schemas/http/labels/datasets.ts'
import { columnsOfName, type IsWithheld } from './columns.ts'

/** What a data set is asked for, its times in UTC and its defaults filled in. */
export type DatasetQuestion = DatasetManifest['question']

/** What is asked of a model file. */
export type AskedModel = Pick<Model, 'slices'>

const LATEST_MS = Date.UTC(2100, 0, 1)

/**
 * Reads the body of a request for a data set.
 *
 * @param now epoch milliseconds; `as_of` unless the body names it
 * @throws {Problem} 400 for a time, a cohort, a predicate or a rule of pairs that is none
 */
export function readQuestion(
  { actor: _actor, as_of, ...body }: DatasetBody,
  model: AskedModel,
  now: number,
): DatasetQuestion {
  const [from, to] = [timeOf('from', body.from), timeOf('to', body.to)]
  if (from >= to) throw invalid('from must be before to')
  const asOf = as_of === undefined ? now : timeOf('as_of', as_of)
  if (asOf > now) throw invalid('as_of must not be still to come')
  if (body.pairs && body.format !== 'pairs') throw invalid('pairs is of the format pairs alone')
  if (body.format === 'pairs') {
    if (!body.pairs) throw invalid('the format pairs needs pairs.rule')
    if (body.columns) throw invalid('columns is not of the format pairs')
    if (body.rows === 'all') throw invalid('pairs are made of labelled rows')
  }
  const question = {
    ...body,
    from: new Date(from).toISOString(),
    to: new Date(to).toISOString(),
    as_of: new Date(asOf).toISOString(),
  }
  predicateOf(question, model)
  return question
}

const invalid = (why: string) => new Problem(400, 'invalid_request', why)

function timeOf(field: string, text: string): number {
  const time = Date.parse(text)
  if (!(time >= EARLIEST_MS && time <= LATEST_MS))
    throw invalid(`${field} must be an RFC 3339 time of the years 1990 to 2099`)
  return time
}

/**
 * The predicate that rows must meet: the cohort's and the question's own.
 *
 * @throws {Problem} 400 where the model has no such cohort, or the text is none
 */
export function predicateOf(
  { cohort, where }: Pick<DatasetQuestion, 'cohort' | 'where'>,
  { slices }: AskedModel,
): Predicate | undefined {
  const parts: Predicate[] = []
  if (cohort !== undefined) {
    const named = new Map(
      slices.flatMap(({ key, by }) => (by?.kind === 'where' ? [[key, by.predicate]] : [])),
    )
    const found = named.get(cohort)
    if (!found)
      throw invalid(
        `cohort: ${cohort} is none of cohorts.where of the model file${didYouMean(cohort, [...named.keys()])}`,
      )
    parts.push(found)
  }
  if (where !== undefined) parts.push(parsed(where))
  const [left, right] = parts
  return left && right ? { kind: 'and', left, right } : left
}

function parsed(where: string): Predicate {
  try {
    return parsePredicate(where)
  } catch (error) {
    throw invalid(`where: ${(error as Error).message}`)
  }
}

/**
 * Refuses a predicate that asks for what its caller may not see: which rows meet it would tell.
 *
 * @throws {Problem} 403 `withheld_field`
 */
export function requireSeen(predicate: Predicate | undefined, isWithheld: IsWithheld): void {
  const names = predicate ? testsOf(predicate).map(({ name }) => name) : []
  const withheld = names.find((name) => columnsOfName(name).some(isWithheld))
  if (withheld !== undefined) throw withheldField(withheld)
}

/** The problem of a field that a caller may not see. */
export const withheldField = (name: string): Problem =>
  new Problem(403, 'withheld_field', `${name} is for callers with the scope admin alone`)
