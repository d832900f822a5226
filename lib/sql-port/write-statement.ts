/**
 * Statements of Plumbline's own services, as the HTTP interface takes them: parameters in the URL,
 * data behind the SQL.
 */
import type { RawResult, RawSession } from '../clickhouse/embedded.ts'
import { escape } from '../clickhouse/port.ts'
import type { Spool } from '../clickhouse/spool.ts'
import { unescapeTsv } from './words.ts'

/** A statement with its parameters, and the data behind it; empty where it has none. */
interface WriteStatement {
  sql: string
  params: Record<string, string>
  data: Buffer
}

/**
 * Runs SQL with data behind it. Binary data cannot stand in the SQL, and chDB answers `INSERT …
 * SELECT … FROM input(…)` with success and no rows: in both cases the data becomes a file.
 */
export async function runWithData(
  session: RawSession,
  { sql, params, data }: WriteStatement,
  format: string,
  spool: Spool,
): Promise<RawResult> {
  if (data.length === 0) return session.run(sql, params, format)
  const dataFormat = /\bformat\s+(\w+)\s*$/i.exec(sql.trim())
  const statement = sql.trim().slice(0, dataFormat?.index)
  const input = /\binput\s*\(\s*('(?:[^'\\]|\\.|'')*')\s*\)/i.exec(sql)
  if (input && !dataFormat)
    throw new Error(
      'Code: 62. DB::Exception: Syntax error: INSERT from input() needs a FORMAT at its end. (SYNTAX_ERROR)',
    )
  const isBinary = dataFormat?.[1] === 'Native'
  if (!input && !isBinary) return session.run(`${sql}\n${data.toString()}`, params, format)
  return spool.withFile([data], (path) => {
    const file = `'${path.replaceAll("'", "''")}', ${dataFormat![1]}`
    return session.run(
      input
        ? statement.replace(input[0], () => `file(${file}, ${input[1]})`)
        : `${statement} SELECT * FROM file(${file})`,
      params,
      format,
    )
  })
}

/**
 * The query and its parameters. Scalars travel in TSV escaping and are bound by the engine; arrays,
 * maps and tuples carry their own quotes, and since the engine's binder takes no text of them they
 * become a CAST of an escaped string literal.
 */
export function bound(query: string, url: URL): { sql: string; params: Record<string, string> } {
  const params: Record<string, string> = {}
  let sql = query
  for (const [key, value] of url.searchParams) {
    if (!/^param_\w+$/.test(key)) continue
    const name = key.slice('param_'.length)
    const composite = new RegExp(
      `\\{\\s*${name}\\s*:\\s*((?:Array|Map|Tuple)\\([^{}]*\\))\\s*\\}`,
      'g',
    )
    if (composite.test(sql))
      sql = sql.replace(
        composite,
        (_, type: string) => `CAST('${escape(value)}', '${escape(type)}')`,
      )
    else params[name] = unescapeTsv(value)
  }
  return { sql, params }
}
