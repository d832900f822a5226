/** The port to ClickHouse: a server over HTTP, or the engine embedded in this process. */
import { createReadStream, createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { ClickHouseLogLevel, createClient, type ClickHouseClient } from '@clickhouse/client'

/** Values of the `{name:Type}` parameters of a statement, by name. */
export type Params = Record<string, unknown>
/** A row by column name. */
export type Row = Record<string, unknown>

/** One connection. Every function rejects with the error that ClickHouse gives. */
export interface ClickHouse {
  /**
   * Rows of a SELECT; `{name:Type}` parameters only, never values inside the SQL. 64-bit integers
   * come as strings.
   */
  query: <T = Row>(sql: string, params?: Params) => Promise<T[]>
  /** A statement without a result. */
  command: (sql: string, params?: Params) => Promise<void>
  /**
   * Inserts rows under a token: the same token again is a no-op, in the table and in every view of
   * it.
   */
  insertRows: (table: string, rows: readonly Row[], token?: string) => Promise<void>
  /** Inserts a file in the Native format (`block.ts`) as one block, under a token as above. */
  insertFile: (insert: FileInsert) => Promise<void>
  /**
   * Inserts a block that lies in memory, under a token as above: for what can be made again, since
   * nothing keeps it while it is on its way.
   */
  insertBlock: (insert: BlockInsert) => Promise<void>
  /**
   * Writes the rows of a SELECT into a new file as JSON, one object a line, as they come: neither
   * the engine nor this process holds all of them.
   *
   * @param path absolute
   */
  selectToFile: (sql: string, params: Params, path: string) => Promise<void>
  /**
   * The engine itself answers, in this process: nothing in between can say that something was
   * stored which was not.
   */
  isEmbedded: boolean
  /** Where the tables are spread over a cluster; absent for one server and the embedded engine. */
  cluster?: ClusterNames | undefined
  close: () => Promise<void>
}

/** Where the tables of a cluster are. */
export interface ClusterNames {
  /** As `system.clusters` names it. */
  cluster: string
  database: string
}

/** A cluster, and what a statement about tables becomes on it. */
export interface Cluster {
  names: ClusterNames
  /** @throws Error for a statement that is not known to be possible there */
  statementsFor: (statement: string) => readonly string[]
  /** Settings of every connection, beside {@link SESSION_SETTINGS}. */
  settings: Readonly<Record<string, string | number>>
}

/** A column's name and ClickHouse's type of it. */
export interface BlockColumn {
  name: string
  type: string
}

/** What a block goes into. */
interface Insert {
  table: string
  /** As the block has them, in its order. */
  columns: readonly BlockColumn[]
  token: string
}

/** A block in Native format, in memory. */
export interface BlockInsert extends Insert {
  /** One after another they are the block. */
  parts: readonly Buffer[]
}

/** A block in Native format, in a file. */
export interface FileInsert extends Insert {
  path: string
  /** A condition over the columns: only the rows that meet it are inserted. */
  where?: string | undefined
}

/**
 * Opens connections; one per role, since a connection runs its queries one after another when
 * embedded.
 */
export interface ClickHouseEngine {
  connect: (role: string) => ClickHouse
  close: () => Promise<void>
}

/** Settings of every connection of ours: what the trials showed that exactly-once needs. */
export const SESSION_SETTINGS = {
  async_insert: 0,
  cast_string_to_variant_use_inference: 0,
  max_partitions_per_insert_block: 0,
  max_execution_time: 25,
  // `max(revision) AS revision` beside another use of the column means the column, as in standard SQL.
  prefer_column_name_to_alias: 1,
  output_format_json_quote_64bit_integers: 1,
  output_format_json_quote_denormals: 0,
  date_time_output_format: 'iso',
  date_time_input_format: 'best_effort',
} as const

/**
 * One block per insert, so that the token covers all of it; one thread, since more only cost for a
 * block; and the block as it is: what counts is counted already, and need not be merged with
 * itself.
 */
const ONE_BLOCK =
  'optimize_on_insert=0, max_threads=1, max_insert_threads=1, max_insert_block_size=10000000, min_insert_block_size_rows=10000000, min_insert_block_size_bytes=0'

/** Rows of a few megabytes: several threads that read them cost a third more than one. */
const ONE_READER = 'max_threads=1, input_format_parallel_parsing=0'

/** Where a ClickHouse server is and who asks it. */
export interface ServerOptions {
  url: string
  username?: string | undefined
  password?: string | undefined
  /** `default` unless said otherwise. */
  database?: string | undefined
  /** PEM of the authorities that may sign its certificate; those of Node unless said otherwise. */
  ca?: string | undefined
  cluster?: Cluster | undefined
  /** How long a request may take; 30 s unless said otherwise. */
  requestTimeoutMs?: number
}

const DEFAULT_REQUEST_TIMEOUT_MS = 30_000

/** ClickHouse behind its HTTP interface: a server, or `--target=stores` of another process. */
export function serverEngine(options: ServerOptions): ClickHouseEngine {
  const clients: ClickHouseClient[] = []
  return {
    connect: (role) => {
      const client = createClient({
        url: options.url,
        username: options.username ?? 'default',
        password: options.password ?? '',
        ...(options.database !== undefined && { database: options.database }),
        ...(options.ca !== undefined && { tls: { ca_cert: Buffer.from(options.ca) } }),
        application: `plumbline-${role}`,
        request_timeout: options.requestTimeoutMs ?? DEFAULT_REQUEST_TIMEOUT_MS,
        clickhouse_settings: { ...SESSION_SETTINGS, ...options.cluster?.settings } as never,
        // Every failure is thrown, and reported by whoever catches it.
        log: { level: ClickHouseLogLevel.OFF },
      })
      clients.push(client)
      const insertNative = async (query: string, values: Readable) => {
        const { stream } = await client.exec({ query: `${query} FORMAT Native`, values })
        let answer = ''
        for await (const chunk of stream as AsyncIterable<Buffer>) answer += chunk.toString()
        // An INSERT says nothing; ClickHouse can fail after it has answered 200, and then says so
        // in the body.
        if (answer.trim() !== '')
          throw new Error(`an insert of a block failed: ${answer.slice(0, 500)}`)
      }
      const insertFile: ClickHouse['insertFile'] = (insert) =>
        insertNative(
          insert.where === undefined
            ? insertInto(insert)
            : `${insertInto(insert)} SELECT * FROM input('${escape(structureOf(insert))}') WHERE ${insert.where}`,
          createReadStream(insert.path),
        )
      const insertBlock: ClickHouse['insertBlock'] = (insert) =>
        insertNative(insertInto(insert), Readable.from(insert.parts, { objectMode: false }))
      const selectToFile: ClickHouse['selectToFile'] = async (sql, query_params, path) => {
        const { stream } = await client.exec({ query: `${sql} FORMAT JSONEachRow`, query_params })
        await pipeline(stream, createWriteStream(path, { flags: 'wx', mode: 0o600 }))
      }
      const db = clickHouseOf(client, { insertFile, insertBlock, selectToFile })
      return options.cluster ? onCluster(db, options.cluster) : db
    },
    close: async () => {
      await Promise.all(clients.map((client) => client.close()))
    },
  }
}

/** Statements about tables become those of every shard. */
const onCluster = (db: ClickHouse, { names, statementsFor }: Cluster): ClickHouse => ({
  ...db,
  cluster: names,
  command: async (sql, params) => {
    for (const statement of statementsFor(sql)) await db.command(statement, params)
  },
})

/** Runs a statement whose parameters are bound, as the connection has it. */
export type Bind = <T>(
  params: Params,
  run: (bound: { query_params?: Params }) => Promise<T>,
) => Promise<T>

interface ConnectionOptions {
  insertFile: ClickHouse['insertFile']
  insertBlock: ClickHouse['insertBlock']
  selectToFile: ClickHouse['selectToFile']
  /** What must be done before the first statement. */
  ready?: Promise<unknown>
  /** Parameters go with the statement unless said otherwise. */
  bind?: Bind
  isEmbedded?: boolean
}

/** Our port on an official client, whatever connection it uses. */
export function clickHouseOf(
  client: ClickHouseClient,
  {
    insertFile,
    insertBlock,
    selectToFile,
    ready,
    bind = (query_params, run) => run({ query_params }),
    isEmbedded = false,
  }: ConnectionOptions,
): ClickHouse {
  const bound = async <T>(
    params: Params | undefined,
    run: (bound: { query_params?: Params }) => Promise<T>,
  ) => {
    await ready
    return params && Object.keys(params).length > 0 ? bind(params, run) : run({})
  }
  const command: ClickHouse['command'] = async (query, params) => {
    await bound(params, (more) => client.command({ query, ...more }))
  }
  return {
    command,
    isEmbedded,
    insertFile: async (insert) => {
      await ready
      await insertFile(insert)
    },
    insertBlock: async (insert) => {
      await ready
      await insertBlock(insert)
    },
    selectToFile: async (sql, params, path) => {
      await ready
      await selectToFile(sql, params, path)
    },
    query: <T>(query: string, params?: Params) =>
      bound(params, async (more) => {
        const result = await client.query({ query, format: 'JSONEachRow', ...more })
        return result.json<T>()
      }),
    insertRows: async (table, rows, token) => {
      if (rows.length === 0) return
      const settings = token === undefined ? '' : `, insert_deduplication_token='${escape(token)}'`
      // Names once, not in every row: half of the bytes of a wide row.
      const columns = columnsOf(rows)
      const lines = rows
        .map((row) => JSON.stringify(columns.map((column) => row[column] ?? null)))
        .join('\n')
      await command(
        `INSERT INTO ${table} (${columns.join(', ')}) SETTINGS async_insert=0, ${ONE_READER}${settings} FORMAT JSONCompactEachRow\n${lines}`,
      )
    },
    close: () => client.close(),
  }
}

function columnsOf(rows: readonly Row[]): string[] {
  const names = new Set<string>()
  // Not by `flatMap(Object.keys)`: a revision has a million cells.
  for (const row of rows) for (const name in row) names.add(name)
  return [...names]
}

/** The head of the INSERT of one block, with its token and columns. */
export const insertInto = ({ table, columns, token }: Omit<FileInsert, 'path'>) =>
  `INSERT INTO ${table} (${columns.map(({ name }) => name).join(', ')}) SETTINGS async_insert=0, insert_deduplication_token='${escape(token)}', ${ONE_BLOCK}`

/** The columns as a structure in SQL: to infer it ClickHouse would read the whole block. */
export const structureOf = ({ columns }: FileInsert) =>
  columns.map(({ name, type }) => `${name} ${type}`).join(', ')

/** Text as it stands between the quotes of a SQL string literal. */
export const escape = (text: string) => text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")
