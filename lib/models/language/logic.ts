/**
 * Questions joined by `and`, `or`, `not` and brackets, as the conditions of policies and the
 * predicates of cohorts are: `not` binds tightest, then `and`. Pure.
 */
import { expected, must, skip, take, word, type Cursor } from './tokens.ts'

/** Questions joined, as a tree. */
export type Logic<Leaf> = Leaf | Joined<Leaf> | Negated<Leaf>

/** Two sides, of which both must hold, or one. */
type Joined<Leaf> = ({ kind: 'and' } & Sides<Leaf>) | ({ kind: 'or' } & Sides<Leaf>)
interface Sides<Leaf> {
  left: Logic<Leaf>
  right: Logic<Leaf>
}

/** What must not hold. */
interface Negated<Leaf> {
  kind: 'not'
  inner: Logic<Leaf>
}

/** A language of such questions. */
export interface Language<Leaf> {
  /** What a text of it is called, such as `a predicate`. */
  name: string
  maxLength: number
  /** Brackets, and `not`, within one another. */
  maxDepth: number
  /** Reads one question. */
  leaf: (cursor: Cursor) => Leaf
}

/**
 * Parses a whole text.
 *
 * @throws {SyntaxError} with what was expected and where, or which bound was passed
 */
export function parseLogic<Leaf>(text: string, of: Language<Leaf>): Logic<Leaf> {
  const { name, maxLength } = of
  if (text.length > maxLength) throw new SyntaxError(`${name} has at most ${maxLength} characters`)
  const cursor: Cursor = { text, at: 0, depth: 0 }
  const found = either(cursor, of)
  skip(cursor)
  if (cursor.at < text.length) throw expected(cursor, '"and", "or" or the end')
  return found
}

function either<Leaf>(cursor: Cursor, of: Language<Leaf>): Logic<Leaf> {
  let left = both(cursor, of)
  while (word(cursor, 'or')) left = { kind: 'or', left, right: both(cursor, of) }
  return left
}

function both<Leaf>(cursor: Cursor, of: Language<Leaf>): Logic<Leaf> {
  let left = single(cursor, of)
  while (word(cursor, 'and')) left = { kind: 'and', left, right: single(cursor, of) }
  return left
}

function single<Leaf>(cursor: Cursor, of: Language<Leaf>): Logic<Leaf> {
  if (word(cursor, 'not')) return { kind: 'not', inner: deeper(cursor, of, single) }
  if (!take(cursor, '(')) return of.leaf(cursor)
  const inner = deeper(cursor, of, either)
  must(cursor, ')')
  return inner
}

function deeper<Leaf>(
  cursor: Cursor,
  of: Language<Leaf>,
  read: (cursor: Cursor, of: Language<Leaf>) => Logic<Leaf>,
): Logic<Leaf> {
  if (++cursor.depth > of.maxDepth)
    throw new SyntaxError(`${of.name} has at most ${of.maxDepth} brackets within brackets`)
  const inner = read(cursor, of)
  cursor.depth--
  return inner
}

/** The questions of a tree, from left to right. */
export function testsOf<Leaf extends { kind: string }>(logic: Logic<Leaf>): Leaf[] {
  if (isNegated(logic)) return testsOf(logic.inner)
  return isJoined(logic) ? [...testsOf(logic.left), ...testsOf(logic.right)] : [logic]
}

const isNegated = <Leaf extends { kind: string }>(logic: Logic<Leaf>): logic is Negated<Leaf> =>
  logic.kind === 'not'

const isJoined = <Leaf extends { kind: string }>(
  logic: Leaf | Joined<Leaf>,
): logic is Joined<Leaf> => logic.kind === 'and' || logic.kind === 'or'
