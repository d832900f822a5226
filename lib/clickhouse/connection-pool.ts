/**
 * Several connections that look like one: an embedded one runs its statements one after another.
 */
import type { ClickHouse } from './port.ts'

/** Each statement goes to the connection that has the fewest under way. */
export function connectionPool(connections: readonly [ClickHouse, ...ClickHouse[]]): ClickHouse {
  const lanes = connections.map((db) => ({ db, underWay: 0 }))
  const on = async <T>(run: (db: ClickHouse) => Promise<T>): Promise<T> => {
    const lane = lanes.reduce((a, b) => (b.underWay < a.underWay ? b : a))
    lane.underWay++
    try {
      return await run(lane.db)
    } finally {
      lane.underWay--
    }
  }
  return {
    isEmbedded: connections[0].isEmbedded,
    cluster: connections[0].cluster,
    query: (sql, params) => on((db) => db.query(sql, params)),
    command: (sql, params) => on((db) => db.command(sql, params)),
    insertRows: (table, rows, token) => on((db) => db.insertRows(table, rows, token)),
    selectToFile: (sql, params, path) => on((db) => db.selectToFile(sql, params, path)),
    insertFile: (insert) => on((db) => db.insertFile(insert)),
    insertBlock: (insert) => on((db) => db.insertBlock(insert)),
    close: async () => {
      await Promise.all(connections.map((db) => db.close()))
    },
  }
}
