/** A column of a Native block while it is filled; `T` is what one row takes. */
export interface Column<T = unknown> {
  /** As in DDL, without codecs. */
  type: string
  /** Sets a row; rows come in ascending order, some may be left out. */
  set: (row: number, value: T) => void
  /** Rows up to here are given: set, or the default. */
  fill: (rows: number) => void
  /** Whether any row was set. */
  used: () => boolean
  /** What precedes the data of the whole column: versions of its encodings. */
  prefix: () => Buffer[]
  /** The cells of all rows, in the type's layout. */
  data: () => Buffer[]
  /**
   * Begins anew without a row. The memory stays, and so does what V8 has compiled: it drops the
   * code of closures that are gone.
   */
  clear: () => void
}
