/**
 * Preferences: which of two texts is the better one. Both orders are asked, since language models
 * prefer what stands first; what changes with the order is a tie.
 */
import type { Judgement } from './judgement.ts'

const SWAPPED: Readonly<Record<string, string>> = { first: 'second', second: 'first' }
/** Characters of each order's comment that are kept. */
const MAX_COMMENT = 490

/**
 * One judgement of both orders.
 *
 * @param swapped the answer where the second text stood first
 */
export function preferenceOf(straight: Judgement, swapped: Judgement): Judgement {
  if (straight.kind === 'invalid') return straight
  if (swapped.kind === 'invalid') return swapped
  const turned = SWAPPED[swapped.label] ?? swapped.label
  const comment = [straight.comment, swapped.comment]
    .map((one) => one.slice(0, MAX_COMMENT).toWellFormed())
    .join(' / swapped: ')
  return { kind: 'valid', label: straight.label === turned ? turned : 'tie', comment }
}
