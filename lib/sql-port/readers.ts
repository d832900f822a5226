/**
 * Questions of readers: each in a session of its own, checked against what ClickHouse reads in it,
 * within bounds.
 */
import type { EmbeddedEngine, RawResult, RawSession } from '../clickhouse/embedded.ts'
import { messageOf } from '../runtime/errors.ts'
import { readersRules } from '../clickhouse/migrations.ts'
import type { RowRules } from '../clickhouse/schema/row-rules.ts'
import { FORMATS } from './allowlist.ts'
import { settingsOf, whyNotExplained, whyRefused } from './check-statement.ts'
import {
  limitingStatement,
  MAX_LIMITED_BYTES,
  MAX_LIMITED_MODELS,
  whyNotForLimited,
  whyNotSetByLimited,
} from './model-limits.ts'
import { createQuotas } from './reader-quota.ts'
import { literal, withParams } from './words.ts'

/** Bytes of a reader's statement, its parameters included. */
export const MAX_READER_BYTES = 65_536
const RUNNING = 4
const WAITING = 32
const PATIENCE_MS = 10_000
/**
 * Set first; then what the statement's own SETTINGS say, where the list has it; then `readonly`,
 * and the engine lets nothing change.
 */
const LIMITS = {
  max_execution_time: 30,
  max_memory_usage: 512_000_000,
  max_result_bytes: 100_000_000,
  max_result_rows: 5_000_000,
  max_threads: 2,
  max_block_size: 65_536,
  function_range_max_elements_in_block: 1_000_000,
  max_query_size: 4 * MAX_READER_BYTES,
  max_parser_depth: 300,
  max_parser_backtracks: 100_000,
  max_ast_depth: 300,
  max_ast_elements: 20_000,
  max_expanded_ast_elements: 50_000,
  max_untracked_memory: 1_000_000,
  prefer_column_name_to_alias: 0,
  output_format_json_quote_64bit_integers: 1,
  allow_introspection_functions: 0,
}
const SETTINGS = [
  `SET ${Object.entries(LIMITS)
    .map(([name, value]) => `${name} = ${value}`)
    .join(', ')}`,
]

/** A reader's statement. */
export interface ReaderQuestion {
  sql: string
  /** Values of `{name:Type}` as they came in the URL, in ClickHouse's own escaping. */
  params: ReadonlyMap<string, string>
  /** Where the statement says none. */
  format: string
  /** Who asks, and of which models alone; absent for a reader of all. */
  limits?: { reader: string; models: readonly string[] } | undefined
}

/** Answers readers' statements, a few at a time. */
export interface Readers {
  /**
   * Asks a question, which keeps its place among those that run until `use` is done with the
   * answer: what is compressed, or read slowly, is memory all the while.
   *
   * @param use takes the answer and the format it is in
   * @throws an Error as ClickHouse would word it: `Code: 164` and the word for what a reader may
   *   not do, `Code: 202` when too many ask
   */
  ask: (
    question: ReaderQuestion,
    use: (answer: RawResult & { format: string }) => Promise<void>,
  ) => Promise<void>
}

/** Makes an empty queue of questions to this engine. */
export function createReaders(engine: EmbeddedEngine, now: () => number): Readers {
  const slot = slots()
  const quotas = createQuotas(now)
  const rules = readersRules()
  return {
    ask: (question, use) =>
      slot(async () => {
        checkSize(question)
        const reader = question.limits?.reader
        if (reader !== undefined) quotas.require(reader)
        const begun = now()
        let answered = { rows: 0, bytes: 0 }
        try {
          const answer = await answerTo(engine, question, rules)
          answered = { rows: answer.rows, bytes: answer.bytes.length }
          await use(answer)
        } finally {
          if (reader !== undefined)
            quotas.add(reader, { questions: 1, seconds: (now() - begun) / 1000, ...answered })
        }
      }),
  }
}

async function answerTo(
  engine: EmbeddedEngine,
  question: ReaderQuestion,
  rules: RowRules,
): Promise<RawResult & { format: string }> {
  const session = engine.rawSession('plumbline_reader', SETTINGS)
  try {
    const sql = await allowed(session, question, rules)
    const result = await session.run(sql, {}, question.format)
    const stated = /\bFORMAT (\w+)(?: SETTINGS .*)?$/.exec(withoutStrings(sql))?.[1]
    return { ...result, format: stated ?? question.format }
  } finally {
    session.close()
  }
}

/**
 * The very statement that runs: as ClickHouse writes it, its parameters put in, looked at in whole.
 */
async function allowed(
  session: RawSession,
  question: ReaderQuestion,
  rules: RowRules,
): Promise<string> {
  if (!FORMATS.has(question.format)) throw refused(`the format ${question.format}`)
  const { sql, missing } = withParams(await canonical(session, question.sql), question.params)
  if (missing !== undefined)
    throw new Error(
      `Code: 456. DB::Exception: Substitution \`${missing}\` is not set. (UNKNOWN_QUERY_PARAMETER)`,
    )
  const written = question.params.size > 0 ? await canonical(session, sql) : sql
  const { limits } = question
  const early = whyNotExplained(written) ?? (limits && whyNotSetByLimited(written))
  if (early) throw refused(early)
  const settings = settingsOf(written).map(({ name, value }) => `${name} = ${value}`)
  if (limits) await limit(session, rules, limits.models)
  await session.run(`SET ${[...settings, 'readonly = 1'].join(', ')}`, {}, 'Null')
  const dump = await session.run(`EXPLAIN AST ${withoutFormat(written)}`, {}, 'JSONCompactEachRow')
  const lines = rowsOf(dump).map(([line]) => String(line))
  const why = whyRefused(written, lines) ?? (limits && whyNotForLimited(lines, rules))
  if (why) throw refused(why)
  return written
}

async function limit(session: RawSession, rules: RowRules, models: readonly string[]) {
  const bytes = models.reduce((sum, model) => sum + Buffer.byteLength(literal(model)), 0)
  if (models.length > MAX_LIMITED_MODELS || bytes > MAX_LIMITED_BYTES)
    throw refused(
      `more than ${MAX_LIMITED_MODELS} models, or ${MAX_LIMITED_BYTES} bytes of their ids: ask for a key that may read all`,
    )
  const present = await session.run(
    `SELECT name FROM system.tables WHERE database = 'default'`,
    {},
    'JSONCompactEachRow',
  )
  const names = rowsOf(present).map(([name]) => String(name))
  const statement = limitingStatement(rules, models, names)
  await session.run(`SET max_query_size = ${Buffer.byteLength(statement) + 1}`, {}, 'Null')
  await session.run(statement, {}, 'Null')
  await session.run(`SET max_query_size = ${LIMITS.max_query_size}`, {}, 'Null')
}

/**
 * ClickHouse's own words for one statement, which it reads again as it wrote them; it is given as
 * text and never runs here.
 */
async function canonical(session: RawSession, sql: string): Promise<string> {
  if (sql.trim() === '')
    throw new Error('Code: 62. DB::Exception: Syntax error: Empty query. (SYNTAX_ERROR)')
  const answer = await session
    .run(
      `WITH formatQuerySingleLine(${literal(sql)}) AS written SELECT written, formatQuerySingleLine(written)`,
      {},
      'JSONCompactEachRow',
    )
    .catch((error: unknown) => {
      if (messageOf(error).includes('Multi-statements are not allowed'))
        throw refused('; : one statement at a time')
      // What is behind it is our own question around the caller's.
      throw new Error(
        messageOf(error).replace(/: In scope WITH formatQuerySingleLine[\s\S]*$/, ''),
        {
          cause: error,
        },
      )
    })
  const [written, again] = rowsOf(answer)[0] ?? []
  if (typeof written !== 'string' || written !== again)
    throw refused('a statement that ClickHouse does not read as it writes it')
  return written
}

const rowsOf = ({ bytes }: RawResult): unknown[][] =>
  bytes
    .toString()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown[])

/** FORMAT at the end would be that of the explanation. */
const withoutFormat = (sql: string) => sql.replace(/ FORMAT \w+( SETTINGS [^']*)?$/, '$1')

const withoutStrings = (sql: string) => sql.replace(/'(?:[^'\\]|\\.|'')*'|`(?:[^`\\]|\\.)*`/g, "''")

const refused = (why: string) =>
  new Error(`Code: 164. DB::Exception: not for readers of this port: ${why}. (READONLY)`)

function checkSize({ sql, params }: ReaderQuestion): void {
  const size = [...params.values(), sql].reduce((sum, text) => sum + Buffer.byteLength(text), 0)
  if (size > MAX_READER_BYTES)
    throw new Error(
      `Code: 307. DB::Exception: a reader's statement has at most ${MAX_READER_BYTES} bytes. (TOO_MANY_BYTES)`,
    )
}

/**
 * So many at once, so many in line, and not for longer than is polite: the engine's memory is every
 * caller's.
 */
function slots(): <T>(body: () => Promise<T>) => Promise<T> {
  let running = 0
  const line: (() => void)[] = []
  const turn = () =>
    new Promise<void>((resolve, reject) => {
      const enter = () => {
        clearTimeout(timer)
        running++
        resolve()
      }
      const timer = setTimeout(() => {
        line.splice(line.indexOf(enter), 1)
        reject(tooMany())
      }, PATIENCE_MS)
      line.push(enter)
    })
  return async (body) => {
    if (running < RUNNING) running++
    else if (line.length < WAITING) await turn()
    else throw tooMany()
    try {
      return await body()
    } finally {
      running--
      line.shift()?.()
    }
  }
}

const tooMany = () =>
  new Error(
    `Code: 202. DB::Exception: Too many simultaneous queries: ${RUNNING} run and ${WAITING} wait. (TOO_MANY_SIMULTANEOUS_QUERIES)`,
  )
