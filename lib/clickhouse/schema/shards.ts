/** What is asked of the servers of a cluster one by one. */
import { escape, type ClickHouse } from '../port.ts'
import { localName } from './cluster.ts'

/**
 * A table of `system`, as it stands after FROM: of one replica of each shard, where copies must not
 * count twice, or of all.
 */
export const systemTable = (
  { cluster }: ClickHouse,
  table: 'parts' | 'mutations',
  replicas: 'one' | 'all',
) =>
  cluster === undefined
    ? `system.${table}`
    : `${replicas === 'one' ? 'cluster' : 'clusterAllReplicas'}('${escape(cluster.cluster)}', system, ${table})`

/** The name under which `system` has a table of ours. */
export const storedName = ({ cluster }: ClickHouse, table: string) =>
  cluster === undefined ? table : localName(table)

/** Our name of a table in `system`. */
export const tableOf = ({ cluster }: ClickHouse, stored: string) =>
  cluster === undefined ? stored : stored.replace(/_local$/, '')
