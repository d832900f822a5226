/** Events into a fresh embedded engine, through the sinks of the services, and what reads them. */
import type { ClickHouse } from '../lib/clickhouse/port.ts'
import type { EventMapping } from '../lib/sink/mapping.ts'
import { TOPICS } from '../schemas/topics.ts'
import { ATTRIBUTE_MAPPINGS } from '../services/feedback/data/attribute-rows.ts'
import { createJoin, type Join } from '../services/feedback/loop/join.ts'
import { LABEL_MAPPINGS } from '../services/feedback/data/label-rows.ts'
import {
  predictionMappings,
  type PredictionRules,
} from '../services/ingest/data/prediction-rows.ts'
import { migratedClickHouse, rangeOf, sinkOn } from './harness.ts'

export type Store = (events: readonly object[]) => Promise<void>

export interface Pipeline {
  db: ClickHouse
  directory: string
  engine: Awaited<ReturnType<typeof migratedClickHouse>>['engine']
  /** Another connection to the same engine. */
  connect: (role: string) => ClickHouse
  predictions: Store
  /** Joins them with what is stored. */
  labels: Store
  /** Labels that nothing joins yet. */
  storeLabels: Store
  attributes: Store
  join: Join
}

/** @param rules what model files say about how predictions are stored */
export async function pipeline(rules?: PredictionRules): Promise<Pipeline> {
  const { db, engine, directory } = await migratedClickHouse()
  const storeOf = (name: string, topic: string, mapping: EventMapping): Store => {
    const sink = sinkOn(db, `${directory}/${name}`, name, mapping)
    let offset = 0
    return async (events) => {
      if (events.length === 0) return
      const lines = events.map((event) => JSON.stringify(event))
      await sink.store(rangeOf(topic, sink.mapping, lines, offset))
      offset += events.length
    }
  }
  const join = createJoin(engine.connect('join'), { declared: [] })
  const labels = storeOf('labels', TOPICS.labels.topic, LABEL_MAPPINGS[0])
  return {
    db,
    directory,
    engine,
    connect: (role) => engine.connect(role),
    predictions: storeOf('predictions', TOPICS.predictions.topic, predictionMappings(rules)[0]),
    labels: async (events) => {
      await labels(events)
      await join.resolve()
    },
    storeLabels: labels,
    attributes: storeOf('attributes', TOPICS.attributes.topic, ATTRIBUTE_MAPPINGS[0]),
    join,
  }
}
