/** The members of an object, in their order, no name twice: how events and the maps in them are read, without an object of their own. */
export class FlatRecord {
  /** Mostly the very array of the members read before: whoever keeps what follows from it need not look again. */
  readonly names: readonly string[]
  readonly values: unknown[]
  /** Every value is a finite number. */
  readonly numeric: boolean

  constructor(names: readonly string[], values: unknown[], numeric: boolean) {
    this.names = names
    this.values = values
    this.numeric = numeric
  }

  static of(object: object): FlatRecord {
    const values = Object.values(object) as unknown[]
    return new FlatRecord(Object.keys(object), values, values.every(Number.isFinite))
  }

  /** Undefined where there is no such member. */
  get(name: string): unknown {
    const at = this.names.indexOf(name)
    return at === -1 ? undefined : this.values[at]
  }

  toObject(): Record<string, unknown> {
    return Object.fromEntries(this.names.map((name, i) => [name, this.values[i]]))
  }
}

export interface ByNames<T> {
  of: (names: readonly string[]) => T
  /** The next one is worked out anew. */
  forget: () => void
}

/** What follows from the names of members, worked out only where they differ from those asked for before. */
export function perShape<T>(workOut: (names: readonly string[]) => T): ByNames<T> {
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

/** Reads one member of many alike: its place is looked up only where the names differ. */
export function fieldGetter(name: string): (members: FlatRecord) => unknown {
  const places = perShape((names) => names.indexOf(name))
  return ({ names, values }) => {
    const at = places.of(names)
    return at === -1 ? undefined : values[at]
  }
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}
