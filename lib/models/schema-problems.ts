/** What JSON Schema found wrong with a file, as sentences for whoever wrote it. Pure. */
import type { ErrorObject } from 'ajv'
import { didYouMean } from '../runtime/nearest-name.ts'

/**
 * Settings that are planned and have no effect yet, by path: accepted, they would mislead whoever
 * sets them.
 */
const WITHOUT_EFFECT = new Set(['review.draw.uncertain', 'review.draw.drifted'])

/**
 * The problems as sentences that begin with the path of the field. Where a thing may be of several
 * kinds, only those of its own `kind` are told.
 *
 * @param errors of a validator with `verbose` and `allErrors`
 */
export function schemaProblems(errors: readonly ErrorObject[]): string[] {
  const unions = errors.filter(({ keyword }) => keyword === 'anyOf').map(unionOf)
  const told = errors.flatMap((error) => {
    const union = unions.find(({ isOver }) => isOver(error))
    if (union === undefined) return [sentenceOf(error)]
    if (union.problem !== undefined)
      return error.keyword === 'anyOf' && error.schemaPath === union.schemaPath
        ? [`${pathOf(error.instancePath)}.kind ${union.problem}`]
        : []
    return union.isOfKind(error) ? [sentenceOf(error)] : []
  })
  return [...new Set(told)]
}

/** A failed choice between kinds: which errors are about it, and which about the kind that is given. */
interface Union {
  schemaPath: string
  isOver: (error: ErrorObject) => boolean
  isOfKind: (error: ErrorObject) => boolean
  /** Why no kind was chosen; undefined where one was. */
  problem: string | undefined
}

const NO_UNION: Union = {
  schemaPath: '',
  isOver: () => false,
  isOfKind: () => false,
  problem: undefined,
}

function unionOf({ schemaPath, schema, data, instancePath }: ErrorObject): Union {
  const kinds = (schema as readonly Branch[]).map((branch) => branch.properties?.kind?.const)
  if (kinds.some((kind) => kind === undefined)) return NO_UNION
  const given = (data as { kind?: unknown } | null)?.kind
  const branch = kinds.findIndex((kind) => kind === given)
  const isWithin = (path: string) => (error: ErrorObject) =>
    error.instancePath.startsWith(instancePath) && error.schemaPath.startsWith(path)
  return {
    schemaPath,
    isOver: isWithin(schemaPath),
    isOfKind: isWithin(`${schemaPath}/${branch}/`),
    problem: branch === -1 ? kindProblem(given, kinds as string[]) : undefined,
  }
}

/** One alternative of a choice, as far as it tells its kind. */
interface Branch {
  properties?: { kind?: { const?: string } }
}

const kindProblem = (given: unknown, kinds: readonly string[]): string =>
  typeof given === 'string'
    ? `${given.slice(0, MAX_GIVEN)} is none of ${kinds.join(', ')}${didYouMean(given, kinds)}`
    : `must be one of ${kinds.join(', ')}`

const MAX_GIVEN = 100

const pathOf = (instancePath: string): string => instancePath.slice(1).replaceAll('/', '.')

/** One error as a sentence. */
function sentenceOf(error: ErrorObject): string {
  const { keyword, instancePath, message = '', params, parentSchema, data } = error
  const path = pathOf(instancePath)
  if (keyword === 'required')
    return `${path === '' ? '' : `${path}.`}${String(params['missingProperty'])} is required`
  if (keyword === 'additionalProperties') {
    const field = String(params['additionalProperty'])
    const whole = path === '' ? field : `${path}.${field}`
    if (WITHOUT_EFFECT.has(whole))
      return `${whole} has no effect yet, so it may not be set: review.draw.random is the only draw`
    const known = Object.keys((parentSchema?.['properties'] as object | undefined) ?? {})
    return `${whole} is no setting${didYouMean(field, known)}`
  }
  const allowed = params['allowedValues']
  if (!Array.isArray(allowed)) return `${path || 'the file'} ${message}`
  const near = typeof data === 'string' ? didYouMean(data, allowed as readonly string[]) : ''
  return `${path} ${message}: ${allowed.join(', ')}${near}`
}
