/**
 * Parts of a message that are written in a format of their own: JSON or CSV in a text, in clear or
 * in base64. Pure.
 */
import { isUtf8 } from 'node:buffer'
import { CsvError, parse as parseCsv } from 'csv-parse/sync'
import type { SourceFile } from '../../schemas/source.ts'
import { cellValue } from '../events/csv-cell.ts'
import { whyBeyond } from '../events/json/bounds.ts'
import { parseExactly } from '../events/json/exact-integers.ts'
import { MISSING, readPath, replaceAt, type Path, type Scope } from './paths.ts'
import { checkedPath } from './values.ts'

/** What a part of a message, and a message, may hold as JSON. */
export const MESSAGE_BOUNDS = { maxDepth: 64, maxMembers: 500_000 }

/** Puts the parts of a message in place, decoded. @returns why one cannot be read */
export type ParseParts = (scope: Scope) => string | undefined

type Format = NonNullable<SourceFile['parse']>[string]

/** Makes what decodes the parts that `parse` names. What is wrong with it becomes a problem. */
export function embeddedParts(
  { parse = {} }: Pick<SourceFile, 'parse'>,
  problems: string[],
): ParseParts {
  const parts = Object.entries(parse).flatMap(([text, format]) => {
    const path = checkedPath(text, 'parse', { problems, hasEach: false })
    return path ? [{ path, format }] : []
  })
  return (scope) => {
    for (const part of parts) {
      const fault = parsePart(part, scope)
      if (fault !== undefined) return fault
    }
    return undefined
  }
}

function parsePart(
  { path, format }: { path: Path; format: Format },
  scope: Scope,
): string | undefined {
  const given = readPath(path, scope)
  // What needs the part says that it is missing.
  if (given === MISSING || given === null || typeof given === 'object') return undefined
  if (typeof given !== 'string') return `${path.text} is no text, and is to be read as ${format}`
  const text = format.startsWith('base64') ? decoded(given) : given
  if (text === undefined) return `${path.text} holds bytes that are no text`
  const value = format.endsWith('json')
    ? jsonOf(text)
    : format.endsWith('csv')
      ? csvOf(text)
      : { value: text }
  if ('why' in value) return `${path.text} ${value.why}`
  replaceAt(path, scope, value.value)
  return undefined
}

function decoded(text: string): string | undefined {
  const bytes = Buffer.from(text, 'base64')
  return isUtf8(bytes) ? bytes.toString() : undefined
}

function jsonOf(text: string): { value: unknown } | { why: string } {
  const why = whyBeyond(Buffer.from(text), MESSAGE_BOUNDS)
  if (why) return { why: `cannot be read: ${why}` }
  try {
    return { value: parseExactly(text) }
  } catch {
    return { why: 'is no JSON' }
  }
}

/** Rows of cells. */
function csvOf(text: string): { value: unknown } | { why: string } {
  try {
    const rows = parseCsv(text.trimEnd(), { bom: true, record_delimiter: ['\r\n', '\n', '\r'] })
    return { value: rows.map((row) => row.map(cellValue)) }
  } catch (error) {
    if (error instanceof CsvError)
      return { why: `is no CSV by RFC 4180: ${error.message.slice(0, 200)}` }
    throw error
  }
}
