/** What Grafana and its ClickHouse plugin make of the SQL of a panel. */

/** Values of a dashboard's variables, by name. */
export type Chosen = Readonly<Record<string, string>>

/** Puts the values in, quoted as `:sqlstring` quotes them, and the plugin's macros. */
export const expanded = (sql: string, chosen: Chosen): string =>
  sql
    .replaceAll(
      /\$\{(\w+):sqlstring\}/g,
      (_, name: string) => `'${chosen[name]!.replaceAll("'", "''")}'`,
    )
    .replaceAll(/\$__timeFilter\((\w+)\)/g, '$1 >= toDateTime(0) AND $1 <= now()')
    .replaceAll(
      /\$__timeInterval\((\w+)\)/g,
      'toStartOfInterval(toDateTime($1), INTERVAL 60 SECOND)',
    )
