/** `npm run restore -- --from <folder>`: puts a backup where no data folder is. */
import { parseArgs } from 'node:util'
import { Refused, restore } from './data-copies.ts'

const { values } = parseArgs({ options: { from: { type: 'string' } } })
const to = process.env['PLUMBLINE_DATA_DIR'] ?? './data'
try {
  if (values.from === undefined)
    throw new Refused('npm run restore -- --from <folder>; PLUMBLINE_DATA_DIR says where it goes')
  const { made_at, offsets } = restore(values.from, to)
  console.log(`restored what was stored at ${made_at}`)
  for (const [place, next] of Object.entries(offsets)) console.log(`${place} goes on from ${next}`)
} catch (error) {
  if (!(error instanceof Refused)) throw error
  console.error(error.message)
  process.exit(1)
}
