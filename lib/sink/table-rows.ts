/** Rows on their way to one table. */
import type { Months } from './month-pieces.ts'
import type { NativeBlock } from '../clickhouse/native/block.ts'

/** A block and the table it goes into. */
export interface TableRows extends NativeBlock {
  table: string
  /** Set where the rows lie in more monthly partitions than one insert may touch. */
  months?: Months | undefined
}
