/**
 * The last ids of a partition, so that an event sent twice counts once.
 *
 * Whether an id is a repeat depends only on the rows stored before its range (the newest `horizon`
 * of them) and on the messages before it in its range. Ids of a range are therefore remembered only
 * once the range is stored: a replay after a failure, in this process or in another that has read
 * the ids back, gives the same answers.
 */

/** Ids are hashed into two numbers of 32 bits (`id-hash.ts`). */
export interface SeenIds {
  /**
   * Begins a range: forgets what an unfinished one had added, and all but the newest `horizon` ids.
   */
  begin: () => void
  /** True when the id was seen; else remembers it for the rest of the range. */
  repeated: (a: number, b: number) => boolean
  /** The range is stored: its ids stay. */
  keep: () => void
}

/** Position of a slot whose id an unfinished range had added: taken, and forgotten. */
const FORGOTTEN = 1

/**
 * An open-addressing table of 12 bytes a slot; it grows, and drops what lies beyond the horizon
 * when it is full.
 */
export function createSeenIds(horizon: number): SeenIds {
  let capacity = 1024
  let as = new Uint32Array(capacity)
  let bs = new Uint32Array(capacity)
  /** The place of the id among all that were stored, from 2 on; 0 is an empty slot. */
  let positions = new Uint32Array(capacity)
  let used = 0
  /** The last position of stored ranges, and of the range in hand. */
  let kept = FORGOTTEN
  let next = FORGOTTEN
  /** Ids up to this position are forgotten. */
  let oldest = FORGOTTEN
  /** Slots the range in hand has taken. */
  let taken: number[] = []

  function slotOf(a: number, b: number): number {
    let slot = (a ^ Math.imul(b, 0x9e3779b1)) & (capacity - 1)
    while (positions[slot] !== 0 && (as[slot] !== a || bs[slot] !== b))
      slot = (slot + 1) & (capacity - 1)
    return slot
  }

  /** Positions begin anew where the horizon begins, so that they stay small numbers. */
  function rebuild() {
    const [oldAs, oldBs, oldPositions] = [as, bs, positions]
    let live = 0
    for (const position of oldPositions) if (position > oldest) live++
    while (capacity < 2 * live) capacity *= 2
    as = new Uint32Array(capacity)
    bs = new Uint32Array(capacity)
    positions = new Uint32Array(capacity)
    used = 0
    taken = []
    const shift = oldest - FORGOTTEN
    for (let i = 0; i < oldPositions.length; i++) {
      const position = oldPositions[i]!
      if (position <= oldest) continue
      const slot = slotOf(oldAs[i]!, oldBs[i]!)
      as[slot] = oldAs[i]!
      bs[slot] = oldBs[i]!
      positions[slot] = position - shift
      used++
      if (position > kept) taken.push(slot)
    }
    kept -= shift
    next -= shift
    oldest = FORGOTTEN
  }

  return {
    begin: () => {
      // Forgotten, not emptied: an empty slot would cut the chains that run through it.
      for (const slot of taken) positions[slot] = FORGOTTEN
      taken = []
      next = kept
      oldest = Math.max(oldest, kept - horizon)
    },
    repeated: (a, b) => {
      if (4 * used >= 3 * capacity) rebuild()
      const slot = slotOf(a, b)
      const position = positions[slot]!
      if (position > oldest) return true
      if (position === 0) {
        as[slot] = a
        bs[slot] = b
        used++
      }
      positions[slot] = ++next
      taken.push(slot)
      return false
    },
    keep: () => {
      kept = next
      taken = []
    },
  }
}
