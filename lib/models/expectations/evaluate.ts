/**
 * Whether one event meets an expectation, in this process; ClickHouse is asked the same by
 * `services/drift/queries/expectations/expectation-sql.ts`. Pure.
 *
 * What needs a missing value is unknown, null, by Kleene's rules. Arithmetic with what is no number
 * gives NaN, which no comparison but `!=` holds for; order exists between two numbers or two texts.
 */
import { fieldGetter, type FlatRecord } from '../../events/flat-record.ts'
import type { Check, Literal, Name, Sign, Value, ValueKind } from './expression.ts'

/** A condition on an event: true, false, or null where a missing value leaves it unknown. */
export type EventCheck = (event: FlatRecord) => boolean | null

type ValueOf = (event: FlatRecord) => Literal | null

const featuresOf = fieldGetter('features')

/** Makes the function that checks events. It is one for all: names are looked up by the shape. */
export function eventCheck(of: Check): EventCheck {
  switch (of.kind) {
    case 'and':
    case 'or':
      return joined(of.kind, eventCheck(of.left), eventCheck(of.right))
    case 'not': {
      const inner = eventCheck(of.inner)
      return (event) => {
        const is = inner(event)
        return is === null ? null : !is
      }
    }
    case 'missing': {
      const inner = valueOf(of.inner)
      return (event) => inner(event) === null
    }
    case 'compare':
      return comparison(of.sign, valueOf(of.left), valueOf(of.right))
    case 'in': {
      const values = new Set(of.values)
      return known(valueOf(of.inner), (value) => values.has(value))
    }
    case 'is':
      return known(valueOf(of.inner), (value) => isOf(of.what, value))
    case 'matches':
      return known(
        valueOf(of.inner),
        (value) => typeof value === 'string' && of.pattern.isIn(value),
      )
  }
}

const known =
  (inner: ValueOf, holds: (value: Literal) => boolean): EventCheck =>
  (event) => {
    const value = inner(event)
    return value === null ? null : holds(value)
  }

/** @param kind what decides: one false for `and`, one true for `or` */
function joined(kind: 'and' | 'or', left: EventCheck, right: EventCheck): EventCheck {
  const deciding = kind === 'or'
  return (event) => {
    const a = left(event)
    if (a === deciding) return deciding
    const b = right(event)
    if (b === deciding) return deciding
    return a === null || b === null ? null : !deciding
  }
}

function isOf(what: ValueKind, value: Literal): boolean {
  if (what === 'integer') return Number.isInteger(value)
  return typeof value === (what === 'text' ? 'string' : what)
}

function comparison(sign: Sign, left: ValueOf, right: ValueOf): EventCheck {
  return (event) => {
    const a = left(event)
    if (a === null) return null
    const b = right(event)
    return b === null ? null : compares(sign, a, b)
  }
}

function compares(sign: Sign, a: Literal, b: Literal): boolean {
  if (sign === '=') return a === b
  if (sign === '!=') return a !== b
  if (typeof a === 'string' && typeof b === 'string') return inOrder(sign, bytesOrder(a, b), 0)
  return typeof a === 'number' && typeof b === 'number' && inOrder(sign, a, b)
}

/** As ClickHouse orders texts, by their bytes. */
const bytesOrder = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b))

function inOrder(sign: Sign, a: number, b: number): boolean {
  if (sign === '<') return a < b
  if (sign === '<=') return a <= b
  return sign === '>' ? a > b : a >= b
}

function valueOf(of: Value): ValueOf {
  switch (of.kind) {
    case 'literal':
      return () => of.value
    case 'feature':
    case 'own':
      return named(of)
    case 'arithmetic': {
      const [left, right] = [valueOf(of.left), valueOf(of.right)]
      return (event) => {
        const [a, b] = [left(event), right(event)]
        if (a === null || b === null) return null
        return arithmetic(of.sign, numeric(a), numeric(b))
      }
    }
    case 'call': {
      const inner = valueOf(of.inner)
      return (event) => {
        const value = inner(event)
        if (value === null) return null
        if (of.of === 'abs') return Math.abs(numeric(value))
        return typeof value === 'string' ? charactersOf(value) : NaN
      }
    }
  }
}

const numeric = (value: Literal): number => (typeof value === 'number' ? value : NaN)

function charactersOf(text: string): number {
  let count = 0
  for (const _ of text) count++
  return count
}

function arithmetic(sign: '+' | '-' | '*' | '/', a: number, b: number): number {
  if (sign === '+') return a + b
  if (sign === '-') return a - b
  return sign === '*' ? a * b : a / b
}

function named(of: Name): ValueOf {
  if (of.kind === 'own') {
    const own = fieldGetter(of.field)
    return (event) => (own(event) ?? null) as Literal | null
  }
  const feature = fieldGetter(of.name)
  return (event) => {
    const features = featuresOf(event) as FlatRecord | null | undefined
    return ((features && feature(features)) ?? null) as Literal | null
  }
}
