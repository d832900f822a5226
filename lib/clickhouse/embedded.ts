/** ClickHouse inside this process (chDB): one data directory, one process, several sessions. */
import { mkdirSync } from 'node:fs'
import { open as openFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createClient, type ClickHouseClient } from '@clickhouse/client'
import { formatQueryParams } from '@clickhouse/client-common'
import { Session } from 'chdb'
import { createChdbConnection } from 'chdb/connection'
import { accessArguments, type EngineRole } from './access.ts'
import {
  clickHouseOf,
  escape,
  insertInto,
  SESSION_SETTINGS,
  structureOf,
  type Bind,
  type ClickHouse,
  type ClickHouseEngine,
  type Params,
} from './port.ts'
import { createSpool, type Spool } from './spool.ts'

/** The answer to a statement, in the format that was asked for. */
export interface RawResult {
  bytes: Buffer
  elapsedSeconds: number
  /** Rows of the answer; the engine does not say how many it read for it. */
  rows: number
}

/** A session as ClickHouse's HTTP interface needs it: any SQL, any FORMAT, bytes out. */
export interface RawSession {
  run: (sql: string, params: Record<string, string>, format: string) => Promise<RawResult>
  close: () => void
}

/** ClickHouse inside this process; one process owns its data directory. */
export interface EmbeddedEngine extends ClickHouseEngine {
  /** Takes the directory now, not at the first connection. @throws as {@link embeddedEngine} */
  open: () => void
  /**
   * A session of its own: what is set in it, and the database it uses, are no other's.
   *
   * @param settings statements run once, such as the limits of a reader
   */
  rawSession: (role: EngineRole, settings: readonly string[]) => RawSession
}

/**
 * Opens the engine on `path`, made when missing.
 *
 * @param blocksFolder where blocks lie while they are inserted; made with the first one, which
 *   removes what was left there
 * @throws when another process holds the directory, with the sentence what to do
 */
export function embeddedEngine(
  path: string,
  blocksFolder = join(dirname(path), 'blocks'),
): EmbeddedEngine {
  mkdirSync(path, { recursive: true })
  let blocks: Spool | undefined
  const clients: ClickHouseClient[] = []
  const sessions = new Set<Session>()
  let first: Session | undefined
  /**
   * The first session opens the engine, with who may do what; every later one of the same path is
   * given the same.
   */
  const engine = () =>
    (first ??= open(() => new Session(path, { connectionArgs: accessArguments(path) }), path))
  return {
    open: () => void engine(),
    connect: () => {
      engine()
      const connection = open(() => createChdbConnection({ path }), path)
      // Settings given to the client are set anew before every query, which costs as much as a
      // small query does.
      const client = createClient({ connection } as never)
      clients.push(client)
      const ready = client.command({ query: `SET ${settingsList()}` })
      ready.catch(() => {})
      const insertFile = fileInserter(client)
      return clickHouseOf(client, {
        insertFile,
        // chDB takes text with a statement, and no bytes.
        insertBlock: ({ parts, ...insert }) =>
          (blocks ??= createSpool(blocksFolder, 'process')).withFile(parts, (file) =>
            insertFile({ ...insert, path: file }),
          ),
        selectToFile: async (sql, params, target) => {
          const session = open(() => new Session(path), path)
          sessions.add(session)
          try {
            await selectInto(session, { sql, params, target })
          } finally {
            sessions.delete(session)
            session.close()
          }
        },
        ready,
        bind: boundBySet(client),
        isEmbedded: true,
      })
    },
    rawSession: (role, settings) => {
      engine()
      const session = open(() => new Session(path), path)
      sessions.add(session)
      for (const statement of [`SET ROLE ${role}`, ...settings]) session.query(statement)
      return {
        run: async (sql, params, format) => {
          const result =
            Object.keys(params).length > 0
              ? await session.queryBindAsync(sql, params, { format })
              : await session.queryAsync(sql, { format })
          return {
            bytes: Buffer.from(result.bytes()),
            elapsedSeconds: result.elapsed,
            rows: result.rowsRead,
          }
        },
        close: () => {
          sessions.delete(session)
          session.close()
        },
      }
    },
    close: async () => {
      await Promise.all(clients.map((client) => client.close()))
      for (const session of sessions) session.close()
      first?.close()
    },
  }
}

const fileInserter =
  (client: ClickHouseClient): ClickHouse['insertFile'] =>
  async (insert) => {
    const rows = `SELECT * FROM file('${escape(insert.path)}', Native, '${escape(structureOf(insert))}')`
    const where = insert.where === undefined ? '' : ` WHERE ${insert.where}`
    await client.command({ query: `${insertInto(insert)} ${rows}${where}` })
  }

/**
 * Writes rows by a session of its own, so that statements of the connection go on meanwhile. The
 * engine may not write files: its rows come here in blocks.
 */
async function selectInto(
  session: Session,
  { sql, params, target }: { sql: string; params: Params; target: string },
): Promise<void> {
  session.query('SET ROLE plumbline_owner')
  session.query(`SET ${settingsList()}`)
  if (Object.keys(params).length > 0) session.query(`SET ${parameterList(params)}`)
  await writeChunks(session.queryStream(sql, { format: 'JSONEachRow' }), target)
}

/**
 * Parameters that are set on the connection before the statement. What travels with a statement,
 * chDB keeps for the whole process, and runs such statements one after another whatever connection
 * they come from; so set, those of several connections run side by side.
 */
function boundBySet(client: ClickHouseClient): Bind {
  let last: Promise<unknown> = Promise.resolve()
  return (params, run) => {
    const mine = last.then(async () => {
      await client.command({ query: `SET ${parameterList(params)}` })
      return run({})
    })
    // The next statement with parameters must not change those of this one.
    last = mine.catch(() => {})
    return mine
  }
}

const parameterList = (params: Params) =>
  Object.entries(params)
    .map(([name, value]) => `param_${name} = '${escape(formatQueryParams({ value }))}'`)
    .join(', ')

async function writeChunks(
  chunks: AsyncIterable<{ raw: () => Uint8Array }>,
  path: string,
): Promise<void> {
  const file = await openFile(path, 'wx', 0o600)
  try {
    for await (const chunk of chunks) await file.appendFile(chunk.raw())
  } finally {
    await file.close()
  }
}

/**
 * What the embedded engine need not do for questions of some milliseconds: machine code for
 * expressions is made anew whenever a constant in them differs, a read through a pool of threads
 * costs two switches for a page that is in memory, and a look for projections, of which no table
 * has any, is an eighth of a small question.
 */
const EMBEDDED_SETTINGS = {
  compile_expressions: 0,
  compile_aggregate_expressions: 0,
  compile_sort_description: 0,
  local_filesystem_read_method: 'pread',
  optimize_use_projections: 0,
} as const

const settingsList = () =>
  Object.entries({ ...SESSION_SETTINGS, ...EMBEDDED_SETTINGS })
    .map(([name, value]) => `${name} = ${typeof value === 'number' ? value : `'${value}'`}`)
    .join(', ')

function open<T>(make: () => T, path: string): T {
  try {
    return make()
  } catch (cause) {
    throw new Error(
      `cannot open the ClickHouse data directory ${path}: one process at a time may hold it; stop the other one, or point PLUMBLINE_CLICKHOUSE_URL at it`,
      { cause },
    )
  }
}
