/** Single values of an event: from a path, a constant or a template. Pure. */
import type { SourceField, SourceValue } from '../../schemas/source.ts'
import type { EventField } from '../events/fields.ts'
import { didYouMean } from '../runtime/nearest-name.ts'
import { isTimezone } from '../models/windows.ts'
import { conversionTo, plain, scalarText, type Convert } from './conversions.ts'
import { missingPath, shown, type Faults } from './faults.ts'
import { isPath, MISSING, parsePath, pathReader, type Path, type Scope } from './paths.ts'
import { timeOf } from './times.ts'

/** Reads a value of a message; undefined where it may be left out. What it lacks goes to faults. */
export type ReadValue = (scope: Scope, faults: Faults) => unknown

/** What reading the parts of a source file is told, and where its problems go. */
export interface Compiling {
  /** Each problem in a sentence that begins with the key it is about. */
  problems: string[]
  /** Texts of messages are cells of CSV. */
  isCsv: boolean
  /** Whether there is an `each`, whose element has a place. */
  hasEach: boolean
}

/** A field and the key by which problems name it. */
export interface Target {
  key: string
  /** As faults name it. */
  name: string
  field: Pick<EventField, 'kind' | 'valid'> & { rule: string; required: boolean }
}

/** Makes the reader of a value. What is wrong with `spec` becomes a problem. */
export function valueReader(spec: SourceField, target: Target, of: Compiling): ReadValue {
  if (typeof spec === 'object' && spec !== null)
    return objectReader(spec as SourceValue, target, of)
  return typeof spec === 'string' && isPath(spec)
    ? objectReader({ path: spec }, target, of)
    : objectReader({ value: spec }, target, of)
}

function objectReader(spec: SourceValue, target: Target, of: Compiling): ReadValue {
  const { key, field } = target
  const given = ['path', 'template', 'value'].filter((name) => Object.hasOwn(spec, name))
  if (given.length !== 1)
    of.problems.push(
      `${key} must have one of path, template and value${given.length > 1 ? `, and has ${given.join(' and ')}` : ''}`,
    )
  checkTime(spec, target, of)
  const convert = conversionOf(spec, target, of)
  if (spec.value !== undefined) return constant(spec.value, target, of, convert)
  if (spec.default !== undefined && spec.default !== null)
    checkConstant(spec.default, { ...target, key: `${key}.default` }, of)
  const found =
    spec.template === undefined
      ? pathsReader(pathsOf(spec, target, of))
      : templateReader(spec.template, target, of)
  const mayLack = spec.optional === true || spec.default !== undefined
  const isTime = field.kind === 'timestamp'
  return (scope, faults) => {
    let value = found.read(scope)
    if (value === MISSING && !mayLack) {
      faults.push(missingPath(found.paths, scope, target.name))
      return undefined
    }
    // An empty cell of CSV is a missing value.
    if (value === MISSING || value === null || (of.isCsv && value === '')) value = spec.default
    if (value === undefined || value === null) return undefined
    if (spec.values) {
      const named = scalarText(value) ?? ''
      if (!Object.hasOwn(spec.values, named)) {
        faults.push(`${target.name} is ${shown(value)}, which its values do not list`)
        return undefined
      }
      return spec.values[named]
    }
    if (isTime) {
      const told = timeOf(value, spec.time ?? 'rfc3339', spec.timezone)
      if ('time' in told) return told.time
      faults.push(`${target.name}: ${told.problem}`)
      return undefined
    }
    return convert(value)
  }
}

function checkTime(
  { time, timezone }: SourceValue,
  { key, field }: Target,
  { problems }: Compiling,
) {
  if (timezone !== undefined && !isTimezone(timezone))
    problems.push(`${key}.timezone ${timezone} is not an IANA time zone`)
  if (field.kind === 'timestamp') return
  if (time !== undefined) problems.push(`${key}.time is for times, and ${key} is none`)
  if (timezone !== undefined) problems.push(`${key}.timezone is for times, and ${key} is none`)
}

const AS: Readonly<Record<NonNullable<SourceValue['as']>, Convert>> = {
  text: conversionTo('text', false),
  number: conversionTo('number', false),
  boolean: conversionTo('boolean', false),
  json: (value) => (typeof value === 'string' ? value : JSON.stringify(plain(value))),
}

function conversionOf(spec: SourceValue, { field }: Target, { isCsv }: Compiling): Convert {
  return spec.as === undefined ? conversionTo(field.kind, isCsv) : AS[spec.as]
}

function constant(value: unknown, target: Target, of: Compiling, convert: Convert): ReadValue {
  const converted = value === null ? undefined : convert(value)
  checkConstant(converted, target, of)
  return () => converted
}

/** A constant must be what the field takes; a word that is none of a few is told the nearest. */
function checkConstant(value: unknown, { key, field }: Target, { problems }: Compiling): void {
  if (value === undefined || value === null || field.valid(value)) return
  const choices = /^must be one of (.*)$/.exec(field.rule)?.[1]?.split(', ') ?? []
  problems.push(`${key} ${field.rule}${didYouMean(shown(value).replaceAll('"', ''), choices)}`)
}

interface Found {
  read: (scope: Scope) => unknown
  paths: readonly Path[]
}

function pathsOf({ path }: SourceValue, { key }: Target, of: Compiling): readonly Path[] {
  const texts = path === undefined ? [] : Array.isArray(path) ? path : [path]
  return texts.flatMap((text) => checkedPath(text, key, of) ?? [])
}

/** Reads the path of a source file; undefined, and a problem, where it is none. */
export function checkedPath(
  text: string,
  key: string,
  { problems, hasEach }: Pick<Compiling, 'problems' | 'hasEach'>,
): Path | undefined {
  try {
    const path = parsePath(text)
    const symbols = path.steps.filter((step) => typeof step === 'symbol').map((s) => s.description)
    if (symbols.includes('*')) throw new Error('has [*], which is for each alone')
    if (symbols.includes('#') && !hasEach) throw new Error('has [#], and the event has no each')
    return path
  } catch (error) {
    problems.push(`${key}: ${text} ${(error as Error).message}`)
    return undefined
  }
}

function pathsReader(paths: readonly Path[]): Found {
  const readers = paths.map(pathReader)
  const [only] = readers
  if (only && readers.length === 1) return { paths, read: only }
  return {
    paths,
    read: (scope) => {
      let found: unknown = MISSING
      for (const read of readers) {
        const value = read(scope)
        if (value !== MISSING) found = value
        if (value !== MISSING && value !== null) break
      }
      return found
    },
  }
}

/** `{$.a}` stands for the value of a path. */
const HOLE = /\{(\$[^{}]*)\}/g

function templateReader(template: string, { key }: Target, of: Compiling): Found {
  const parts: (string | ((scope: Scope) => unknown))[] = []
  const paths: Path[] = []
  let at = 0
  for (const hole of template.matchAll(HOLE)) {
    parts.push(template.slice(at, hole.index))
    const path = checkedPath(hole[1]!, key, of)
    if (path) {
      paths.push(path)
      parts.push(pathReader(path))
    }
    at = hole.index + hole[0].length
  }
  parts.push(template.slice(at))
  if (paths.length === 0)
    of.problems.push(`${key}.template names no path, such as {$.id}: a constant is a value`)
  return {
    paths,
    read: (scope) => {
      let text = ''
      for (const part of parts) {
        if (typeof part === 'string') {
          text += part
          continue
        }
        const value = scalarText(part(scope))
        if (value === undefined) return MISSING
        text += value
      }
      return text
    },
  }
}
