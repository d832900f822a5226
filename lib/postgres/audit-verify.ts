/**
 * Holds the audit log against what lies outside its database: anchors, which a topic keeps, and the
 * copy in ClickHouse. Whoever rewrites the whole log makes a chain that follows, and no anchor.
 */
import { GENESIS, hashOf, type AuditEntry } from './audit-log.ts'

/** The head of the log as it was told outside; `at` is RFC 3339 in UTC. */
export interface AuditAnchor {
  at: string
  /** How many entries the log had. */
  entries: number
  /** The hash of the last of these. */
  hash: string
}

/** How far a log is verified; pages of it are added in order. */
export interface Verification {
  /** Entries that are verified. */
  entries: number
  /** The hash of the last of these. */
  hash: string
  /** The last anchor that agreed. */
  anchored: AuditAnchor | undefined
  /** The first thing that is wrong, as a sentence; nothing after it is looked at. */
  fault: string | undefined
  /** The anchors by how many entries they hold, the earliest told of each. */
  anchors: ReadonlyMap<number, AuditAnchor>
}

const isHash = (value: unknown): value is string =>
  typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)

/**
 * An anchor as it lies in the topic or the file.
 *
 * @returns undefined for what is none
 */
export function anchorOf(text: string): AuditAnchor | undefined {
  try {
    const { at, entries, hash } = JSON.parse(text) as Partial<AuditAnchor>
    const isWhole = typeof at === 'string' && Number.isSafeInteger(entries) && isHash(hash)
    return isWhole && entries! >= 0 ? { at, entries: entries!, hash } : undefined
  } catch {
    return undefined
  }
}

/**
 * Begins a verification.
 *
 * @param anchors in the order in which they were told: of two that differ the earlier one counts,
 *   and that they differ is a fault
 */
export function beginVerification(anchors: readonly AuditAnchor[]): Verification {
  const first = new Map<number, AuditAnchor>()
  let fault: string | undefined
  let longest: AuditAnchor | undefined
  for (const anchor of anchors) {
    const earlier = first.get(anchor.entries)
    if (!earlier) first.set(anchor.entries, anchor)
    else if (earlier.hash !== anchor.hash)
      fault ??= `entry ${anchor.entries} was anchored on ${earlier.at}, and otherwise on ${anchor.at}: it, or one before it, was replaced between`
    if (longest && anchor.entries < longest.entries)
      fault ??= `the log had ${longest.entries} entries on ${longest.at}, and ${anchor.entries} on ${anchor.at}: entries were cut off between`
    if (!longest || anchor.entries > longest.entries) longest = anchor
  }
  return { entries: 0, hash: GENESIS, anchored: undefined, fault, anchors: first }
}

/** Verifies the next page of the log, its first entry the one after the last that was verified. */
export function verifyPage(before: Verification, page: readonly AuditEntry[]): Verification {
  const now = { ...before }
  for (const entry of page) {
    if (now.fault !== undefined) return now
    now.fault = faultOf(now, entry)
    if (now.fault !== undefined) return now
    now.entries = entry.sequence
    now.hash = entry.hash
    now.anchored = now.anchors.get(entry.sequence) ?? now.anchored
  }
  return now
}

function faultOf(
  { entries, hash, anchored, anchors }: Verification,
  entry: AuditEntry,
): string | undefined {
  const expected = entries + 1
  if (entry.sequence !== expected)
    return `entry ${expected} is missing: entry ${entry.sequence} stands in its place`
  if (entry.previous_hash !== hash)
    return `entry ${entry.sequence} does not follow from the one before it`
  if (hashOf(entry) !== entry.hash)
    return `entry ${entry.sequence} is not what its hash was made of: it was edited`
  const anchor = anchors.get(entry.sequence)
  if (!anchor || anchor.hash === entry.hash) return undefined
  return `entry ${entry.sequence} is not the one that was anchored on ${anchor.at}: the first entry that was replaced is one of ${(anchored?.entries ?? 0) + 1} to ${entry.sequence}`
}

/**
 * Ends a verification: what was anchored and is not there any more.
 *
 * @param head what the log says of its own end
 */
export function endVerification(
  done: Verification,
  head: { entries: number; hash: string },
): Verification {
  if (done.fault !== undefined) return done
  const beyond = [...done.anchors.values()].find(({ entries }) => entries > done.entries)
  if (beyond)
    return {
      ...done,
      fault: `entry ${done.entries + 1} is missing: the log ends there, and had ${beyond.entries} entries on ${beyond.at}`,
    }
  if (head.entries > done.entries)
    return {
      ...done,
      fault: `entry ${done.entries + 1} is missing: the log ends there, and its head counts ${head.entries}`,
    }
  if (head.entries === done.entries && head.hash !== done.hash)
    return { ...done, fault: `entry ${done.entries} is not the one its head names` }
  return done
}

/**
 * The first entry of a page that differs from its copy; undefined where all agree. Entries that have
 * no copy yet are left out.
 *
 * @param copies hashes by sequence
 */
export const firstOtherCopy = (
  page: readonly AuditEntry[],
  copies: ReadonlyMap<number, string>,
): number | undefined =>
  page.find(({ sequence, hash }) => (copies.get(sequence) ?? hash) !== hash)?.sequence
