/**
 * The peer: ClickHouse's own Kafka engine, in the same chDB build, filling the same tables.
 *
 * Tuned: two consumers in threads of their own, blocks of 65 536 rows, a flush a second (one to
 * four consumers and larger blocks came out within a tenth of this). It has no exactly-once, no
 * verdicts and no dead letters.
 */
import type { ClickHouse } from '../../lib/clickhouse/port.ts'
import { COUNTS } from './counts-in-sql.ts'

export const ENGINE_SETTINGS = {
  kafka_num_consumers: 2,
  kafka_thread_per_consumer: 1,
  kafka_max_block_size: 65_536,
  kafka_poll_max_batch_size: 65_536,
  kafka_flush_interval_ms: 1000,
  kafka_consumer_reschedule_ms: 10,
}

/** The columns as the messages have them, and how the features become names and numbers. */
const FORMATS = {
  JSONEachRow: {
    columns: `predicted_at DateTime64(3, 'UTC'), prediction String, features Map(LowCardinality(String), Float64)`,
    names: 'mapKeys(q.features)',
    numbers: 'mapValues(q.features)',
  },
  AvroConfluent: {
    columns: `predicted_at DateTime64(3, 'UTC'), prediction Variant(String, Float64, Bool), features Nullable(String)`,
    names: `JSONExtractKeysAndValues(assumeNotNull(q.features), 'Float64').1`,
    numbers: `JSONExtractKeysAndValues(assumeNotNull(q.features), 'Float64').2`,
  },
}

export interface EngineRun {
  db: ClickHouse
  brokers: string
  topic: string
  format: keyof typeof FORMATS
  registryUrl: string
  group: string
  events: number
}

/**
 * Consumes the whole topic; resolves when every event is in `predictions` and the consumer is gone.
 */
export async function consumeWithEngine(run: EngineRun): Promise<void> {
  const { db, format } = run
  const { columns, names, numbers } = FORMATS[format]
  const settings = Object.entries({
    kafka_broker_list: `'${run.brokers}'`,
    kafka_topic_list: `'${run.topic}'`,
    kafka_group_name: `'${run.group}'`,
    kafka_format: `'${format}'`,
    ...ENGINE_SETTINGS,
    ...(format === 'AvroConfluent' && { format_avro_schema_registry_url: `'${run.registryUrl}'` }),
  }).map(([name, value]) => `${name} = ${value}`)
  await db.command(
    `CREATE TABLE peer_queue (prediction_id String, model_id String, model_version String, score Nullable(Float64), attributes Map(LowCardinality(String), String), ${columns}) ENGINE = Kafka SETTINGS ${settings.join(', ')}`,
  )
  await db.command(
    `CREATE TABLE peer_wire (log_epoch String, topic String, partition String, offset UInt64, received_at DateTime64(3, 'UTC'), prediction_id String, model_id String, model_version String,
       variant String, shadow Bool, status String, latency_ms Nullable(Float64), predicted_at DateTime64(3, 'UTC'), prediction Nullable(String), prediction_number Nullable(Float64), score Nullable(Float64),
       attributes Map(LowCardinality(String), String), feature_names Array(LowCardinality(String)), feature_numbers Array(Nullable(Float64)), feature_texts Array(Nullable(String))) ENGINE = Null`,
  )
  const views = {
    predictions: (source: string) =>
      `SELECT * EXCEPT (feature_names, feature_numbers, feature_texts), mapFromArrays(feature_names, arrayMap(x -> x::Variant(Float64, String, Bool), feature_numbers)) AS features FROM ${source}`,
    ...COUNTS,
  }
  for (const [table, select] of Object.entries(views))
    await db.command(`CREATE MATERIALIZED VIEW peer_${table} TO ${table} AS ${select('peer_wire')}`)
  await db.command(
    `CREATE MATERIALIZED VIEW peer_consumer TO peer_wire AS
     SELECT 'engine' AS log_epoch, _topic AS topic, toString(_partition) AS partition, _offset AS offset, assumeNotNull(_timestamp_ms) AS received_at,
       prediction_id, model_id, model_version, predicted_at, toString(q.prediction) AS prediction, NULL::Nullable(Float64) AS prediction_number, score, attributes,
       ${names} AS feature_names, ${numbers}::Array(Nullable(Float64)) AS feature_numbers, arrayMap(n -> NULL::Nullable(String), feature_names) AS feature_texts
     FROM peer_queue AS q`,
  )
  while (
    Number((await db.query<{ n: string }>('SELECT count() AS n FROM predictions'))[0]!.n) <
    run.events
  )
    await new Promise((resolve) => setTimeout(resolve, 50))
  for (const name of ['consumer', ...Object.keys(views), 'wire', 'queue'])
    await db.command(`DROP TABLE peer_${name}`)
}
