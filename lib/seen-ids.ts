/**
 * The last ids of a partition, so that an event sent twice counts once.
 *
 * Whether an id is a repeat depends only on the rows stored before its range (the newest `horizon` of them) and on the
 * messages before it in its range. Ids of a range are therefore remembered only once the range is stored: a replay after
 * a failure, in this process or in another that has read the ids back, gives the same answers.
 */

/** Ids are hashed into two numbers of 32 bits (`id-hash.ts`). */
export interface SeenIds {
  /** Begins a range: forgets what an unfinished one had added, and all but the newest `horizon` ids. */
  begin: () => void
  /** True when the id was seen; else remembers it for the rest of the range. */
  repeated: (a: number, b: number) => boolean
  /** The range is stored: its ids stay. */
  keep: () => void
  size: () => number
}

/** An open-addressing table of 12 bytes an id; it grows, and drops what lies beyond the horizon when it is full. */
export function createSeenIds(horizon: number): SeenIds {
  let capacity = 1024
  let as = new Uint32Array(capacity)
  let bs = new Uint32Array(capacity)
  /** 1 + the position of the id among all that were stored, modulo nothing: 2^53 is enough. 0 is an empty slot. */
  let positions = new Float64Array(capacity)
  let used = 0
  /** Ids of stored ranges; and those of the range in hand. */
  let kept = 0
  let next = 0
  /** Ids below this position are forgotten. */
  let oldest = 0
  /** Slots the range in hand has taken. */
  let taken: number[] = []

  function slotOf(a: number, b: number): number {
    let slot = (a ^ Math.imul(b, 0x9e3779b1)) & (capacity - 1)
    while (positions[slot] !== 0 && (as[slot] !== a || bs[slot] !== b))
      slot = (slot + 1) & (capacity - 1)
    return slot
  }

  function rebuild() {
    const [oldAs, oldBs, oldPositions] = [as, bs, positions]
    let live = 0
    for (const position of oldPositions) if (position > oldest) live++
    while (capacity < 4 * live) capacity *= 2
    as = new Uint32Array(capacity)
    bs = new Uint32Array(capacity)
    positions = new Float64Array(capacity)
    used = 0
    taken = []
    for (let i = 0; i < oldPositions.length; i++) {
      const position = oldPositions[i]!
      if (position <= oldest) continue
      const slot = slotOf(oldAs[i]!, oldBs[i]!)
      as[slot] = oldAs[i]!
      bs[slot] = oldBs[i]!
      positions[slot] = position
      used++
      if (position > kept) taken.push(slot)
    }
  }

  return {
    begin: () => {
      // Forgotten by position, not by slot: an emptied slot would cut the chains that run through it.
      for (const slot of taken) positions[slot] = -1
      taken = []
      next = kept
      oldest = Math.max(0, kept - horizon)
    },
    repeated: (a, b) => {
      if (2 * used >= capacity) rebuild()
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
    size: () => Math.min(kept, horizon),
  }
}
