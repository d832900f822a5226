/** A table that a caller brings as a reference, such as the one the model was trained on. */
import { TooManyBytes, type Spool } from '../../../../lib/clickhouse/spool.ts'
import type { TableFormat } from '../../../../lib/clickhouse/table-files.ts'
import { Problem } from '../../../../lib/runtime/errors.ts'
import { MAX_TABLE_BYTES, UnreadableTable } from '../../queries/baselines/store-table.ts'

/** The formats of tables by content type. */
export const TABLE_TYPES: Readonly<Record<string, TableFormat>> = {
  'text/csv': 'csv',
  'application/vnd.apache.parquet': 'parquet',
  'application/x-ndjson': 'ndjson',
}

/**
 * Runs `use` on an uploaded table as a file.
 *
 * @throws {Problem} 400 with the sentence on what cannot be read, 413 where it is too large
 */
export async function withUploadedTable<T>(
  spool: Spool,
  body: Buffer | AsyncIterable<Buffer>,
  use: (path: string) => Promise<T>,
): Promise<T> {
  try {
    return Buffer.isBuffer(body)
      ? await spool.withFile([body], use)
      : await spool.withStream(body, MAX_TABLE_BYTES, use)
  } catch (error) {
    if (error instanceof UnreadableTable) throw new Problem(400, 'invalid_request', error.message)
    if (error instanceof TooManyBytes) throw new Problem(413, 'too_large', error.message)
    throw error
  }
}

/**
 * One after another: two uploads of one reference must not meet in one revision, and each takes
 * memory.
 */
export function inTurn(): <T>(run: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve()
  return (run) => {
    const mine = last.then(run, run)
    last = mine.catch(() => {})
    return mine
  }
}
