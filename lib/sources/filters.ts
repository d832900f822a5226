/** Which messages count: conditions over paths, all of which must hold. Pure. */
import type { SourceCondition, SourceEvent } from '../../schemas/source.ts'
import { scalarText } from './conversions.ts'
import { fits, globProblem } from './globs.ts'
import { MISSING, pathReader, type Path, type Scope } from './paths.ts'
import { checkedPath, type Compiling } from './values.ts'

/**
 * Undefined where an event counts, or why it does not: `where $.kind`, or `no $.kind` where nothing
 * is there.
 */
export type Filter = (scope: Scope) => string | undefined

/** Makes the filter of an event's `where`. What is wrong with it becomes a problem. */
export function filterOf(
  { where = {} }: Pick<SourceEvent, 'where'>,
  key: string,
  of: Compiling,
): Filter {
  const checks = Object.entries(where).flatMap(([text, given]) => {
    const path = checkedPath(text, key, of)
    const holds = conditionOf(given, `${key}.${text}`, of)
    return path ? [checkOf(path, holds, mustExist(given))] : []
  })
  return (scope) => {
    for (const check of checks) {
      const why = check(scope)
      if (why !== undefined) return why
    }
    return undefined
  }
}

type Given = NonNullable<SourceEvent['where']>[string]

function checkOf(path: Path, holds: (value: unknown) => boolean, isNeeded: boolean): Filter {
  const missing = `no ${path.text}`
  const other = `where ${path.text}`
  const read = pathReader(path)
  return (scope) => {
    const value = read(scope)
    if (value === MISSING && isNeeded) return missing
    return holds(value) ? undefined : other
  }
}

/** Tells whether a filter needs its path: without it, `exists` and `not` decide. */
function mustExist(given: Given): boolean {
  if (!isCondition(given)) return true
  return given.exists === undefined && given.not === undefined
}

const isCondition = (given: Given): given is SourceCondition =>
  typeof given === 'object' && given !== null && !Array.isArray(given)

function conditionOf(given: Given, key: string, of: Compiling): (value: unknown) => boolean {
  if (!isCondition(given)) {
    const wanted = Array.isArray(given) ? given : [given]
    return (value) => wanted.some((one) => isSame(value, one))
  }
  const { equals, not, in: among, match, exists } = given
  if (Object.keys(given).length === 0)
    of.problems.push(`${key} must have one of equals, not, in, match and exists`)
  const problem = match === undefined ? undefined : globProblem(match)
  if (problem) of.problems.push(`${key}.match ${problem}`)
  return (value) =>
    (exists === undefined || (value !== MISSING && value !== null) === exists) &&
    (equals === undefined || isSame(value, equals)) &&
    (not === undefined || !isSame(value, not)) &&
    (among === undefined || among.some((one) => isSame(value, one))) &&
    (match === undefined || (typeof value === 'string' && fits(value, match)))
}

/** Values are the same by their text: a cell of CSV, 200, is the number 200. */
const isSame = (value: unknown, wanted: unknown): boolean => {
  if (value === wanted) return true
  const text = scalarText(value)
  return text !== undefined && text === scalarText(wanted)
}
