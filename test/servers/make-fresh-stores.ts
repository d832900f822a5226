/** Makes the stores of a first start in the folder that is named. */
import { join } from 'node:path'
import { embeddedEngine } from '../../lib/clickhouse/embedded.ts'
import { migrateClickHouse } from '../../lib/clickhouse/migrations.ts'
import { migratePostgres } from '../../lib/postgres/migrations.ts'
import { embeddedPostgres } from '../../lib/postgres/port.ts'

const folder = process.argv[2]!
const engine = embeddedEngine(join(folder, 'clickhouse'))
await migrateClickHouse(engine.connect('migrations'))
await engine.close()
const postgres = await embeddedPostgres(join(folder, 'postgres'))
await migratePostgres(postgres)
await postgres.close()
process.exit(0)
