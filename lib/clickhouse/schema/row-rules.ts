/**
 * What a reader of some models may read: tables whose rows name their model, row by row, and views
 * over such tables alone. Nothing else, tables that come later included until they name it. Pure.
 */
import { statementOf, type Statement } from './statements.ts'

/** Which tables and views there are, for readers of some models. Names are sorted. */
export interface RowRules {
  /** Tables whose rows are theirs where `model_id` is. */
  tables: readonly string[]
  /** Views that read these tables alone; they need no rule of their own. */
  views: readonly string[]
  /** All others, which hold rows of every model. */
  others: readonly string[]
}

/** Tables with a column `model_id` that holds something else as well. */
const NAMED_OTHERWISE: ReadonlySet<string> = new Set(['reference_rows'])

/**
 * The rules for the tables that these statements make, in their order.
 *
 * @example rowRules(['CREATE TABLE IF NOT EXISTS t (model_id String) ENGINE = MergeTree ORDER BY model_id']).tables
 */
export function rowRules(statements: readonly string[]): RowRules {
  const isByModel = new Map<string, boolean>()
  const reads = new Map<string, readonly string[]>()
  for (const statement of statements.map(statementOf)) note(statement, isByModel, reads)
  const mayRead = (name: string): boolean =>
    isByModel.get(name) ?? reads.get(name)?.every(mayRead) ?? false
  const names = [...isByModel.keys(), ...reads.keys()].toSorted()
  return {
    tables: names.filter((name) => isByModel.has(name) && mayRead(name)),
    views: names.filter((name) => reads.has(name) && mayRead(name)),
    others: names.filter((name) => !mayRead(name)),
  }
}

function note(
  statement: Statement,
  isByModel: Map<string, boolean>,
  reads: Map<string, readonly string[]>,
): void {
  const { kind } = statement
  if (kind === 'create table')
    isByModel.set(
      statement.name,
      statement.columns.includes('model_id') && !NAMED_OTHERWISE.has(statement.name),
    )
  // What a materialized view fills is a table, under whose name its rows are read.
  else if (kind === 'create view' && statement.to === undefined)
    reads.set(statement.name, statement.reads)
  else if (kind === 'create view') isByModel.set(statement.name, false)
  else if (kind === 'drop view') {
    isByModel.delete(statement.name)
    reads.delete(statement.name)
  }
}
