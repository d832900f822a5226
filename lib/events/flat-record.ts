/**
 * The names and values of an object, in their order, no name twice: events and the maps in them are
 * read without an object of their own.
 */
export class FlatRecord {
  /**
   * Mostly the very array of the record read before, so that what follows from it can be kept
   * ({@link perShape}).
   */
  readonly names: readonly string[]
  /** The value of each name, at the same index. */
  readonly values: unknown[]
  /** Whether every value is a finite number. */
  readonly numeric: boolean

  constructor(names: readonly string[], values: unknown[], numeric: boolean) {
    this.names = names
    this.values = values
    this.numeric = numeric
  }

  /** The record of an object. */
  static of(object: object): FlatRecord {
    const values = Object.values(object) as unknown[]
    return new FlatRecord(Object.keys(object), values, values.every(Number.isFinite))
  }

  /** The value of a name; undefined where there is none. */
  get(name: string): unknown {
    const at = this.names.indexOf(name)
    return at === -1 ? undefined : this.values[at]
  }

  /** An object with the same names and values. */
  toObject(): Record<string, unknown> {
    return Object.fromEntries(this.names.map((name, i) => [name, this.values[i]]))
  }

  /** What `JSON.stringify` writes: the object. */
  toJSON(): Record<string, unknown> {
    return this.toObject()
  }
}

/**
 * A cache of one entry: what follows from the names of a record, for records of which many in a row
 * have the same.
 */
export interface PerShape<T> {
  /** What follows from these names. */
  of: (names: readonly string[]) => T
  /** Forgets the entry: the next one is worked out anew. */
  forget: () => void
}

/**
 * Keeps what follows from the names of a record; it is worked out only where they differ from those
 * asked for before.
 */
export function perShape<T>(workOut: (names: readonly string[]) => T): PerShape<T> {
  let last: readonly string[] | undefined
  let known: T
  return {
    of: (names) => {
      if (names !== last) {
        if (last === undefined || !isSame(names, last)) known = workOut(names)
        last = names
      }
      return known
    },
    forget: () => {
      last = undefined
    },
  }
}

/**
 * Reads one field of records of which many in a row have the same names: its index is looked up
 * only where they differ.
 */
export function fieldGetter(name: string): (record: FlatRecord) => unknown {
  const indexes = perShape((names) => names.indexOf(name))
  return ({ names, values }) => {
    const at = indexes.of(names)
    return at === -1 ? undefined : values[at]
  }
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}
