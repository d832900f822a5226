/** A card per topic: created at start where missing, with these partitions and this retention. */
export interface TopicCard {
  topic: string
  key: string
  partitions: number
  retentionDays: number
  producers: readonly string[]
  consumers: readonly string[]
  schema: string
  why: string
}

/** Every topic of ours, by the name that code uses. */
export const TOPICS = {
  predictions: {
    topic: 'plumbline.predictions.v1',
    key: 'model_id/prediction_id',
    partitions: 4,
    retentionDays: 7,
    producers: ['ingest', 'service owners'],
    consumers: ['ingest'],
    schema: 'prediction.v1',
    why: 'What models said. The truth until it is in ClickHouse.',
  },
  labels: {
    topic: 'plumbline.labels.v1',
    key: 'model_id/prediction_id',
    partitions: 4,
    retentionDays: 7,
    producers: ['feedback', 'service owners'],
    consumers: ['feedback'],
    schema: 'label.v1',
    why: 'What was true. All labels of a prediction lie in one partition, so one process resolves them.',
  },
  attributes: {
    topic: 'plumbline.attributes.v1',
    key: 'prediction_id, else subject_id',
    partitions: 4,
    retentionDays: 7,
    producers: ['feedback', 'service owners'],
    consumers: ['feedback'],
    schema: 'attributes.v1',
    why: 'Protected groups and segments that come apart from predictions, often from another system.',
  },
  inferenceLogs: {
    topic: 'plumbline.inference-logs.v1',
    key: 'the exchange',
    partitions: 4,
    retentionDays: 7,
    producers: ['ingest', 'model servers'],
    consumers: ['ingest'],
    schema: 'CloudEvents of KServe’s InferenceLogger, binary or structured',
    why: 'Requests and responses, apart: they are paired once both are stored.',
  },
  windows: {
    topic: 'plumbline.windows.v1',
    key: 'model_id',
    partitions: 4,
    retentionDays: 1,
    producers: ['ingest', 'feedback'],
    consumers: ['drift'],
    schema: 'none: the key says it all',
    why: 'Wake-ups that a model has new data. May be lost: tables decide.',
  },
  verdicts: {
    topic: 'plumbline.verdicts.v1',
    key: 'model_id',
    partitions: 4,
    retentionDays: 30,
    producers: ['drift'],
    consumers: ['retrain-trigger', 'anyone'],
    schema: 'verdict.v1',
    why: 'Every evaluated result, at least once.',
  },
  retrain: {
    topic: 'plumbline.retrain.v1',
    key: 'model_id',
    partitions: 1,
    retentionDays: 30,
    producers: ['retrain-trigger'],
    consumers: ['anyone'],
    schema: 'retrain.v1',
    why: 'Every state a run passes through.',
  },
  auditAnchors: {
    topic: 'plumbline.audit-anchors.v1',
    key: 'the day in UTC',
    partitions: 1,
    retentionDays: 3650,
    producers: ['keep'],
    consumers: ['npm run audit'],
    schema: 'at, entries, hash: the head of the audit log',
    why: 'What the audit log was, outside of its database. Not compacted: a later message of a day must not take the place of an earlier one.',
  },
  deadLetters: {
    topic: 'plumbline.dead-letters.v1',
    key: 'the key of the refused message',
    partitions: 1,
    retentionDays: 30,
    producers: ['ingest', 'feedback'],
    consumers: ['anyone'],
    schema: 'the refused bytes, with __connect.errors.* headers',
    why: 'What could not be stored, fed from the table dead_letters, at least once.',
  },
} as const satisfies Record<string, TopicCard>
