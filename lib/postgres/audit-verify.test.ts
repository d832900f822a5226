/** Whoever changes the audit log is found out by the first entry that is wrong. */
import { expect, test } from 'vitest'
import { GENESIS, hashOf, type AuditEntry } from './audit-log.ts'
import {
  anchorOf,
  beginVerification,
  endVerification,
  firstOtherCopy,
  verifyPage,
  type AuditAnchor,
} from './audit-verify.ts'

function chain(actors: readonly string[]): AuditEntry[] {
  const entries: AuditEntry[] = []
  for (const actor of actors) {
    const entry = {
      sequence: entries.length + 1,
      at: '2026-01-01T00:00:00.000Z',
      actor,
      action: 'a',
      subject: 's',
      detail: { b: 1, a: [2] },
      previous_hash: entries.at(-1)?.hash ?? GENESIS,
    }
    entries.push({ ...entry, hash: hashOf(entry) })
  }
  return entries
}

const anchorAt = (log: readonly AuditEntry[], entries: number, at: string): AuditAnchor => ({
  at,
  entries,
  hash: log[entries - 1]?.hash ?? GENESIS,
})
const headOf = (log: readonly AuditEntry[]) => ({
  entries: log.length,
  hash: log.at(-1)?.hash ?? GENESIS,
})

const LOG = chain(['ann', 'bob', 'eve', 'dan', 'kim', 'joe'])
const ANCHORS = [anchorAt(LOG, 0, 'day 0'), anchorAt(LOG, 2, 'day 1'), anchorAt(LOG, 5, 'day 2')]

/** Two entries a page: what is verified of one page is held against the next. */
function faultOf(log: readonly AuditEntry[], anchors = ANCHORS, head = headOf(log)) {
  let done = beginVerification(anchors)
  for (let i = 0; i < log.length; i += 2) done = verifyPage(done, log.slice(i, i + 2))
  return endVerification(done, head).fault
}

test('a whole log has no fault, with entries that are not anchored yet, or none at all', () => {
  expect(faultOf(LOG)).toBeUndefined()
  expect(faultOf(LOG, [])).toBeUndefined()
  expect(faultOf([], [ANCHORS[0]!])).toBeUndefined()
})

test('an edited entry is named, and one whose hash was made anew by the one after it', () => {
  const edited = LOG.with(2, { ...LOG[2]!, actor: 'mallory' })
  expect(faultOf(edited)).toBe('entry 3 is not what its hash was made of: it was edited')
  const { hash: _, ...entry } = { ...LOG[2]!, actor: 'mallory' }
  expect(faultOf(LOG.with(2, { ...entry, hash: hashOf(entry) }))).toBe(
    'entry 4 does not follow from the one before it',
  )
})

test('a deleted entry, one in another place and one that stands twice are named', () => {
  expect(faultOf(LOG.toSpliced(3, 1))).toMatch(/^entry 4 is missing: entry 5 stands/)
  expect(faultOf(LOG.toSpliced(1, 2, LOG[2]!, LOG[1]!))).toMatch(/^entry 2 is missing: entry 3/)
  const renumbered = { ...LOG[2]!, sequence: 2 }
  expect(faultOf(LOG.with(1, renumbered))).toBe('entry 2 does not follow from the one before it')
  expect(faultOf([LOG[0]!, LOG[0]!])).toMatch(/^entry 2 is missing: entry 1 stands/)
})

test('a log that is cut off is missed by its anchor, and by its head', () => {
  expect(faultOf(LOG.slice(0, 4))).toBe(
    'entry 5 is missing: the log ends there, and had 5 entries on day 2',
  )
  // Entries that no anchor holds yet.
  expect(faultOf(LOG.slice(0, 5), ANCHORS, headOf(LOG))).toMatch(/^entry 6 .* its head counts 6$/)
  expect(faultOf([])).toMatch(/^entry 1 is missing/)
})

test('a log that was replaced, wholly or from an entry on, is found out by anchors alone', () => {
  const other = chain(['ann', 'bob', 'mallory', 'dan', 'kim', 'joe'])
  const replaced =
    'entry 5 is not the one that was anchored on day 2: the first entry that was replaced is one of 3 to 5'
  expect(faultOf(other)).toBe(replaced)
  expect(faultOf(other, [])).toBeUndefined()
  expect(faultOf(chain(['mallory', 'bob']))).toMatch(/^entry 2 .* day 1: .* one of 1 to 2$/)
  // The copy knows which one.
  const copies = new Map(LOG.map(({ sequence, hash }) => [sequence, hash]))
  expect(firstOtherCopy(other, copies)).toBe(3)
  expect(firstOtherCopy(LOG, new Map())).toBeUndefined()
})

test('an anchor that is told again otherwise takes the place of none', () => {
  const other = chain(['mallory', 'bob', 'eve', 'dan', 'kim'])
  expect(faultOf(other, [...ANCHORS, anchorAt(other, 5, 'day 3')])).toBe(
    'entry 5 was anchored on day 2, and otherwise on day 3: it, or one before it, was replaced between',
  )
  const shorter = anchorAt(other, 3, 'day 4')
  expect(faultOf(other, [...ANCHORS, shorter])).toMatch(/^the log had 5 entries on day 2, and 3/)
})

test('what is no anchor is none', () => {
  expect(anchorOf(JSON.stringify(ANCHORS[1]))).toEqual(ANCHORS[1])
  for (const text of ['', '{', 'null', '[]', '{"at":"x","entries":-1,"hash":"0"}', '7'])
    expect(anchorOf(text)).toBeUndefined()
})
