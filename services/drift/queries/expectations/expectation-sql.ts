/**
 * Expectations in SQL, over rows of `predictions`: what `lib/models/expectations/evaluate.ts` says
 * of an event, ClickHouse says of its row. Names and values are parameters.
 *
 * A condition is a Nullable(UInt8): NULL where a missing value leaves it unknown.
 */
import { OWN_NUMBERS } from '../../../../lib/events/subjects.ts'
import {
  staticKind,
  type Check,
  type Literal,
  type Name,
  type Sign,
  type Value,
} from '../../../../lib/models/expectations/expression.ts'
import type { Monotone } from '../../../../lib/models/expectations/rules.ts'

/** Collects the parameters of a statement. */
export interface Bound {
  params: Record<string, unknown>
  /** The place of a value in the statement; a value that comes again has one place. */
  put: (type: BoundType, value: unknown) => string
}
type BoundType = 'String' | 'Float64' | 'Array(String)' | 'Array(Float64)'

/** No parameters yet. */
export function bound(): Bound {
  const params: Record<string, unknown> = {}
  const places = new Map<string, string>()
  return {
    params,
    put: (type, value) => {
      const key = `${type} ${JSON.stringify(value)}`
      const known = places.get(key)
      if (known) return known
      const name = `x${places.size}`
      params[name] = value
      places.set(key, `{${name}:${type}}`)
      return `{${name}:${type}}`
    },
  }
}

/** A condition on one event. */
export function checkSql(of: Check, to: Bound): string {
  switch (of.kind) {
    case 'and':
    case 'or':
      return `(${checkSql(of.left, to)} ${of.kind.toUpperCase()} ${checkSql(of.right, to)})`
    case 'not':
      return `NOT (${checkSql(of.inner, to)})`
    case 'missing':
      return missing(of.inner, to)
    case 'compare':
      return comparison(of.sign, [of.left, of.right], to)
    case 'in':
      return membership(of.inner, of.values, to)
    case 'is':
      return kindTest(of.inner, of.what, to)
    case 'matches': {
      if (of.inner.kind === 'own') return known(of.inner, to, 'false')
      const found = `match(${text(of.inner, to)}, ${to.put('String', of.pattern.re2)})`
      return known(of.inner, to, `variantType(${cell(of.inner, to)}) = 'String' AND ${found}`)
    }
  }
}

/** The cell of a feature: a Variant. */
const cell = ({ name }: Name & { kind: 'feature' }, to: Bound) =>
  `features[${to.put('String', name)}]`

const column = ({ field }: Name & { kind: 'own' }) =>
  OWN_NUMBERS.find((own) => own.field === field)!.field

const missing = (of: Name, to: Bound) =>
  of.kind === 'own' ? `isNull(${column(of)})` : `variantType(${cell(of, to)}) = 'None'`

/** What holds of a value that is there; NULL of one that is missing. */
const known = (of: Name, to: Bound, holds: string) => `if(${missing(of, to)}, NULL, ${holds})`

const text = (of: Name & { kind: 'feature' }, to: Bound) =>
  `ifNull(variantElement(${cell(of, to)}, 'String'), '')`

/** A Nullable(Float64): NaN of what is no number. */
function number(of: Value, to: Bound): string {
  switch (of.kind) {
    case 'literal':
      return typeof of.value === 'number' ? to.put('Float64', of.value) : 'nan'
    case 'own':
      return `toFloat64(${column(of)})`
    case 'feature':
      return known(of, to, `ifNull(variantElement(${cell(of, to)}, 'Float64'), nan)`)
    case 'arithmetic':
      return `(${number(of.left, to)} ${of.sign} ${number(of.right, to)})`
    case 'call': {
      if (of.of === 'abs') return `abs(${number(of.inner, to)})`
      const inner = of.inner as Name & { kind: 'feature' }
      const isText = `variantType(${cell(inner, to)}) = 'String'`
      return known(inner, to, `if(${isText}, toFloat64(lengthUTF8(${text(inner, to)})), nan)`)
    }
  }
}

/** A value of a kind that is known from the text, or of any kind. */
type Sides = readonly [Value, Value]

function comparison(sign: Sign, sides: Sides, to: Bound): string {
  const kinds = sides.map(staticKind)
  const operator = sign
  if (kinds.includes('number')) {
    const [a, b] = sides.map((side) => number(side, to))
    return `(${a} ${operator} ${b})`
  }
  const isUnequal = sign === '!=' ? 'true' : 'false'
  const names = sides.filter((side) => side.kind === 'feature')
  const isMissing = names.map((name) => missing(name, to)).join(' OR ')
  const branches = (['text', 'boolean', 'number'] as const).flatMap((kind) => {
    if (kinds.some((own) => own !== 'any' && own !== kind)) return []
    if (kind === 'boolean' && sign !== '=' && sign !== '!=') return []
    const are = names.map((name) => `variantType(${cell(name, to)}) = '${VARIANTS[kind]}'`)
    const [a, b] = sides.map((side) => sideOf(side, kind, to))
    return [are.join(' AND '), `${a} ${operator} ${b}`]
  })
  return `multiIf(${[isMissing, 'NULL', ...branches, isUnequal].join(', ')})`
}

const VARIANTS = { text: 'String', boolean: 'Bool', number: 'Float64' } as const

function sideOf(side: Value, kind: 'text' | 'boolean' | 'number', to: Bound): string {
  if (side.kind === 'literal')
    return typeof side.value === 'string' ? to.put('String', side.value) : String(side.value)
  const own = side as Name & { kind: 'feature' }
  if (kind === 'text') return text(own, to)
  const empty = kind === 'boolean' ? 'false' : 'nan'
  return `ifNull(variantElement(${cell(own, to)}, '${VARIANTS[kind]}'), ${empty})`
}

function membership(inner: Value, values: readonly Literal[], to: Bound): string {
  const numbers = values.filter((value) => typeof value === 'number')
  const texts = values.filter((value) => typeof value === 'string')
  const isNumber = `has(${to.put('Array(Float64)', numbers)}, assumeNotNull(${number(inner, to)}))`
  if (inner.kind === 'literal') throw new Error('a literal is in no list')
  if (inner.kind !== 'feature') return `if(isNull(${number(inner, to)}), NULL, ${isNumber})`
  const variant = `variantType(${cell(inner, to)})`
  const branches = [
    `${variant} = 'None'`,
    'NULL',
    `${variant} = 'Float64'`,
    numbers.length > 0 ? isNumber : 'false',
    `${variant} = 'String'`,
    texts.length > 0 ? `has(${to.put('Array(String)', texts)}, ${text(inner, to)})` : 'false',
  ]
  const isTrue = `ifNull(variantElement(${cell(inner, to)}, 'Bool'), false)`
  const [yes, no] = [values.includes(true), values.includes(false)]
  return `multiIf(${[...branches, yes && no ? 'true' : yes ? isTrue : no ? `NOT ${isTrue}` : 'false'].join(', ')})`
}

function kindTest(of: Name, what: string, to: Bound): string {
  if (of.kind === 'own') {
    const own = number(of, to)
    const holds =
      what === 'number' ? 'true' : what === 'integer' ? `${own} = trunc(${own})` : 'false'
    return known(of, to, holds)
  }
  const variant = `variantType(${cell(of, to)})`
  if (what !== 'integer')
    return known(of, to, `${variant} = '${VARIANTS[what as keyof typeof VARIANTS]}'`)
  const value = `ifNull(variantElement(${cell(of, to)}, 'Float64'), nan)`
  return known(of, to, `${variant} = 'Float64' AND ${value} = trunc(${value})`)
}

/**
 * A rule about events one after another: each number against the one before it in its series. The
 * first of a series, and what has no number or series, is unknown; what is no number is false.
 *
 * @returns the columns of an inner statement, and the condition on them
 */
export function monotoneSql({ feature, sign, per }: Monotone, to: Bound) {
  const name = { kind: 'feature', name: feature } as const
  const series =
    per === undefined
      ? `''`
      : per.kind === 'id'
        ? per.column
        : per.kind === 'own'
          ? `toString(${column(per)})`
          : `if(${missing(per, to)}, '', toString(${cell(per, to)}))`
  const isIn = per === undefined ? 'true' : `${series} != ''`
  return {
    value: number(name, to),
    series,
    isIn,
    before: `lagInFrame(own_value) OVER (PARTITION BY own_series ORDER BY predicted_at, topic, partition, offset)`,
    holds: `if(isNull(own_before) OR isNull(own_value), NULL, own_value ${sign} own_before)`,
  }
}
