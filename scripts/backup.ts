/**
 * `npm run backup -- --to <folder>`: a copy of both embedded stores and the journal at one offset, of
 * a stopped process.
 */
import { parseArgs } from 'node:util'
import { backUp, Refused } from './data-copies.ts'

const { values } = parseArgs({ options: { to: { type: 'string' } } })
const from = process.env['PLUMBLINE_DATA_DIR'] ?? './data'
try {
  if (values.to === undefined)
    throw new Refused('npm run backup -- --to <folder>; PLUMBLINE_DATA_DIR says what is copied')
  if (process.env['PLUMBLINE_CLICKHOUSE_URL'] || process.env['PLUMBLINE_POSTGRES_URL'])
    throw new Refused(
      'PLUMBLINE_CLICKHOUSE_URL or PLUMBLINE_POSTGRES_URL is set: servers have their own backups (docs/operations.md)',
    )
  const { rows, offsets, files } = await backUp(from, values.to)
  console.log(
    `${Object.keys(files).length} files, ${rows['predictions'] ?? 0} predictions, ${rows['labels'] ?? 0} labels`,
  )
  for (const [place, next] of Object.entries(offsets))
    console.log(`${place} is stored up to ${next}`)
  process.exit(0)
} catch (error) {
  if (!(error instanceof Refused)) throw error
  console.error(error.message)
  process.exit(1)
}
