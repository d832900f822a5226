/**
 * Finds regular expressions of `expectations` in texts: in time that grows with the text, whatever
 * the text is. Pure.
 */
import { readPattern, written, type PatternNode, type Range } from './pattern-syntax.ts'

/** One step of the automaton; `next` and `other` are indexes of steps. */
type Step =
  | { kind: 'set'; ranges: readonly Range[]; next: number }
  | { kind: 'split'; next: number; other: number }
  | { kind: 'start' | 'end'; next: number }
  | { kind: 'found' }

/** A pattern that was read. */
export interface Pattern {
  /** As the model file has it. */
  source: string
  /** The pattern as RE2 writes it. */
  re2: string
  /** Whether it is found in a text. O(length of the text · size of the pattern). */
  isIn: (text: string) => boolean
}

/** Most steps of an automaton: what one character of a text may cost. */
const MAX_STEPS = 500
/**
 * Reads a pattern.
 *
 * @throws {SyntaxError} with what is not read and where
 * @example parsePattern('^[A-Z]{2}[0-9]+$').isIn('DE12') // => true
 */
export function parsePattern(source: string): Pattern {
  const node = readPattern(source)
  const steps: Step[] = []
  emit(steps, node)
  add(steps, { kind: 'found' })
  return { source, re2: written(node), isIn: (text) => isFound(steps, text) }
}

function add(steps: Step[], step: Step): number {
  if (steps.length === MAX_STEPS)
    throw new SyntaxError(`the pattern is too large: it has more than ${MAX_STEPS} steps`)
  return steps.push(step) - 1
}

/** Adds the steps of a node; those that end it go on with the step that is added next. */
function emit(steps: Step[], node: PatternNode): void {
  if (node.kind === 'sequence') for (const part of node.parts) emit(steps, part)
  else if (node.kind === 'choice') emitChoice(steps, node.options)
  else if (node.kind === 'repeat') emitRepeat(steps, node)
  else if (node.kind === 'set') add(steps, { ...node, next: steps.length + 1 })
  else add(steps, { kind: node.kind, next: steps.length + 1 })
}

type Split = Extract<Step, { kind: 'split' }>

function emitSplit(steps: Step[]): Split {
  const split: Split = { kind: 'split', next: steps.length + 1, other: steps.length + 1 }
  add(steps, split)
  return split
}

function emitChoice(steps: Step[], options: readonly PatternNode[]): void {
  const ends: Split[] = []
  options.forEach((option, i) => {
    const isLast = i === options.length - 1
    const split = isLast ? undefined : emitSplit(steps)
    emit(steps, option)
    if (!split) return
    ends.push(emitSplit(steps))
    split.other = steps.length
  })
  for (const end of ends) end.next = end.other = steps.length
}

function emitRepeat(steps: Step[], { inner, least, most }: PatternNode & { kind: 'repeat' }): void {
  for (let i = 0; i < least; i++) {
    const before = steps.length
    emit(steps, inner)
    // A part that matches nothing matches nothing any number of times.
    if (steps.length === before) break
  }
  if (most === Infinity) {
    const from = steps.length
    const split = emitSplit(steps)
    emit(steps, inner)
    const back = emitSplit(steps)
    back.next = back.other = from
    split.other = steps.length
    return
  }
  const splits: Split[] = []
  for (let i = least; i < most; i++) {
    splits.push(emitSplit(steps))
    emit(steps, inner)
  }
  for (const split of splits) split.other = steps.length
}

/** Follows all ways through the steps at once, character by character. */
function isFound(steps: readonly Step[], text: string): boolean {
  const seen = new Int32Array(steps.length).fill(-1)
  let now: number[] = []
  let at = 0
  for (let index = 0; index <= text.length; at++) {
    const code = text.codePointAt(index)
    const enter = { steps, seen, at, isStart: index === 0, isEnd: code === undefined }
    const current: number[] = []
    for (const step of now) if (reach(enter, step, current)) return true
    // It may begin at each character.
    if (reach(enter, 0, current)) return true
    if (code === undefined) return false
    now = []
    for (const step of current) {
      const { ranges, next } = steps[step] as Extract<Step, { kind: 'set' }>
      if (ranges.some(([low, high]) => code >= low && code <= high)) now.push(next)
    }
    index += code > 0xffff ? 2 : 1
  }
  return false
}

interface Entering {
  steps: readonly Step[]
  /** Per step, the character before which it was reached last. */
  seen: Int32Array
  at: number
  isStart: boolean
  isEnd: boolean
}

/** Collects the sets that a step leads to without a character. @returns whether it leads to the end */
function reach({ steps, seen, at, isStart, isEnd }: Entering, from: number, into: number[]) {
  const open = [from]
  for (let index = open.pop(); index !== undefined; index = open.pop()) {
    if (seen[index] === at) continue
    seen[index] = at
    const step = steps[index]!
    if (step.kind === 'found') return true
    if (step.kind === 'set') into.push(index)
    else if (step.kind === 'split') open.push(step.next, step.other)
    else if (step.kind === 'start' ? isStart : isEnd) open.push(step.next)
  }
  return false
}
