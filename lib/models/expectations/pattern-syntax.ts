/**
 * Reads regular expressions of `expectations`: a part of what RE2 and JavaScript have in common.
 * Pure.
 *
 * Read are characters, `.`, classes, `\d \w \s` and their opposites, `^`, `$`, groups, `|`, and
 * `* + ? {m,n}`. Look-around, back-references and flags are refused. What was read is written anew
 * for ClickHouse, so that both engines are asked the same.
 */

/** Code points from the first to the last. */
export type Range = readonly [number, number]

/** A part of a pattern. */
export type PatternNode =
  | { kind: 'set'; ranges: readonly Range[] }
  | { kind: 'sequence'; parts: readonly PatternNode[] }
  | { kind: 'choice'; options: readonly PatternNode[] }
  | { kind: 'repeat'; inner: PatternNode; least: number; most: number }
  | { kind: 'start' }
  | { kind: 'end' }

const MAX_DEPTH = 20
const MAX_REPEATS = 1000
const LAST = 0x10ffff

/** @throws {SyntaxError} with what is not read and where */
export function readPattern(source: string): PatternNode {
  const reading = { characters: Array.from(source), at: 0, depth: 0 }
  const node = choice(reading)
  if (reading.at < reading.characters.length) throw wrong(reading, 'a bracket that was not opened')
  return node
}

interface Reading {
  characters: readonly string[]
  at: number
  depth: number
}

const wrong = ({ at, characters }: Reading, what: string) =>
  new SyntaxError(`${what} at position ${at + 1} of the pattern ${characters.join('')}`)

function choice(reading: Reading): PatternNode {
  if (++reading.depth > MAX_DEPTH)
    throw wrong(reading, `more than ${MAX_DEPTH} brackets in brackets`)
  const options = [sequence(reading)]
  while (reading.characters[reading.at] === '|') {
    reading.at++
    options.push(sequence(reading))
  }
  reading.depth--
  return options.length === 1 ? options[0]! : { kind: 'choice', options }
}

function sequence(reading: Reading): PatternNode {
  const parts: PatternNode[] = []
  for (;;) {
    const next = reading.characters[reading.at]
    if (next === undefined || next === '|' || next === ')') break
    parts.push(repeated(reading, single(reading)))
  }
  return parts.length === 1 ? parts[0]! : { kind: 'sequence', parts }
}

const QUANTIFIERS: Readonly<Record<string, Range>> = {
  '*': [0, Infinity],
  '+': [1, Infinity],
  '?': [0, 1],
}

function repeated(reading: Reading, inner: PatternNode): PatternNode {
  const [least, most] = quantifier(reading) ?? [1, 1]
  if (least === 1 && most === 1) return inner
  if (inner.kind === 'start' || inner.kind === 'end') throw wrong(reading, 'an anchor that repeats')
  // Whether it takes as little as it can changes nothing about whether it is found.
  if (reading.characters[reading.at] === '?') reading.at++
  if (quantifier(reading)) throw wrong(reading, 'a repetition of a repetition')
  return { kind: 'repeat', inner, least, most }
}

function quantifier(reading: Reading): Range | undefined {
  const sign = reading.characters[reading.at] ?? ''
  if (QUANTIFIERS[sign]) {
    reading.at++
    return QUANTIFIERS[sign]
  }
  if (sign !== '{') return undefined
  const rest = reading.characters.slice(reading.at, reading.at + 12).join('')
  const found = /^\{(\d+)(,(\d*))?\}/.exec(rest)
  if (!found) throw wrong(reading, 'a { that is no {m}, {m,} or {m,n} (write \\{)')
  const least = Number(found[1])
  const most = found[2] === undefined ? least : found[3] === '' ? Infinity : Number(found[3])
  if (most < least || least > MAX_REPEATS || (most > MAX_REPEATS && most !== Infinity))
    throw wrong(reading, `a repetition beyond 0 to ${MAX_REPEATS}`)
  reading.at += found[0].length
  return [least, most]
}

function single(reading: Reading): PatternNode {
  const character = reading.characters[reading.at++]!
  switch (character) {
    case '^':
      return { kind: 'start' }
    case '$':
      return { kind: 'end' }
    case '.':
      return { kind: 'set', ranges: [[0, LAST]] }
    case '(':
      return group(reading)
    case '[':
      return { kind: 'set', ranges: characterClass(reading) }
    case '\\':
      return { kind: 'set', ranges: escaped(reading) }
    case '*':
    case '+':
    case '?':
    case '{':
    case ']':
    case '}':
      reading.at--
      throw wrong(reading, `a ${character} with nothing before it (write \\${character})`)
    default:
      return { kind: 'set', ranges: [only(character)] }
  }
}

const only = (character: string): Range => [character.codePointAt(0)!, character.codePointAt(0)!]

function group(reading: Reading): PatternNode {
  if (reading.characters[reading.at] === '?') {
    if (reading.characters[reading.at + 1] !== ':')
      throw wrong(reading, 'look-around, a named group or a flag, which are not read')
    reading.at += 2
  }
  const inner = choice(reading)
  if (reading.characters[reading.at] !== ')') throw wrong(reading, 'a bracket that is not closed')
  reading.at++
  return inner
}

const CLASSES: Readonly<Record<string, readonly Range[]>> = {
  d: [[48, 57]],
  w: [
    [48, 57],
    [65, 90],
    [95, 95],
    [97, 122],
  ],
  s: [
    [9, 10],
    [12, 13],
    [32, 32],
  ],
}
const CONTROLS: Readonly<Record<string, number>> = { t: 9, n: 10, f: 12, r: 13 }

function escaped(reading: Reading): readonly Range[] {
  const character = reading.characters[reading.at++]
  if (character === undefined) throw wrong(reading, 'a \\ with nothing after it')
  if (CLASSES[character]) return CLASSES[character]
  const opposite = CLASSES[character.toLowerCase()]
  if (opposite) return without(opposite)
  if (CONTROLS[character] !== undefined) return [[CONTROLS[character], CONTROLS[character]]]
  if (/[\p{L}\p{N}]/u.test(character)) {
    reading.at--
    throw wrong(reading, `\\${character}, which is not read,`)
  }
  return [only(character)]
}

function characterClass(reading: Reading): readonly Range[] {
  const isNegated = reading.characters[reading.at] === '^'
  if (isNegated) reading.at++
  const ranges: Range[] = []
  for (let isFirst = true; ; isFirst = false) {
    const character = reading.characters[reading.at]
    if (character === undefined) throw wrong(reading, 'a [ that is not closed')
    if (character === ']' && !isFirst) break
    for (const range of classMember(reading)) ranges.push(range)
  }
  reading.at++
  const found = isNegated ? without(ranges) : ranges
  if (found.length === 0) throw wrong(reading, 'a class that no character is in')
  return found
}

function classMember(reading: Reading): readonly Range[] {
  const from = classCharacter(reading)
  const isRange =
    from.length === 1 &&
    from[0]![0] === from[0]![1] &&
    reading.characters[reading.at] === '-' &&
    reading.characters[reading.at + 1] !== ']'
  if (!isRange) return from
  reading.at++
  const to = classCharacter(reading)
  if (to.length !== 1 || to[0]![0] !== to[0]![1] || to[0]![0] < from[0]![0])
    throw wrong(reading, 'a range that ends before it begins')
  return [[from[0]![0], to[0]![0]]]
}

function classCharacter(reading: Reading): readonly Range[] {
  const character = reading.characters[reading.at++]
  if (character === undefined) throw wrong(reading, 'a [ that is not closed')
  if (character === '[' && /[:.=]/.test(reading.characters[reading.at] ?? ''))
    throw wrong(reading, 'a named class, which is not read,')
  return character === '\\' ? escaped(reading) : [only(character)]
}

/** All code points that are in none of the ranges. */
function without(ranges: readonly Range[]): readonly Range[] {
  const rest: Range[] = []
  let from = 0
  for (const [low, high] of ranges.toSorted((a, b) => a[0] - b[0])) {
    if (low > from) rest.push([from, low - 1])
    from = Math.max(from, high + 1)
  }
  if (from <= LAST) rest.push([from, LAST])
  return rest
}

const code = (point: number) => `\\x{${point.toString(16)}}`

/** Writes what was read for RE2, every character as its code point. */
export function written(node: PatternNode): string {
  switch (node.kind) {
    case 'set':
      return `[${node.ranges.map(([low, high]) => `${code(low)}-${code(high)}`).join('')}]`
    case 'sequence':
      return node.parts.map(written).join('')
    case 'choice':
      return `(?:${node.options.map(written).join('|')})`
    case 'repeat':
      return `(?:${written(node.inner)}){${node.least},${node.most === Infinity ? '' : node.most}}`
    case 'start':
      return '\\A'
    case 'end':
      return '\\z'
  }
}
