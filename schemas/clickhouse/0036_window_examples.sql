-- Events of a window that people should see: those that violate an expectation of the model file, and the most unusual ones. Each
-- evaluation of a window's inputs replaces those before it: read those of the highest revision. A row whose kind is '' says that the
-- revision kept none.

CREATE TABLE IF NOT EXISTS window_examples {on_cluster}
(
    model_id LowCardinality(String) COMMENT 'The model.',
    window_start DateTime64(3, 'UTC') COMMENT 'Start of the window.',
    window_end DateTime64(3, 'UTC') COMMENT 'End of the window, exclusive.',
    revision UInt32 COMMENT 'Revision of the window that kept it; those of the highest one stand.',
    kind LowCardinality(String) COMMENT 'expectation | unusual; empty where the revision kept none.',
    subject String COMMENT 'Name of the violated rule; empty of unusual events.',
    rank UInt16 COMMENT 'From 1: of unusual events the most unusual first; of a rule in the order in which they were drawn.',
    prediction_id String COMMENT 'The event.',
    model_version LowCardinality(String) COMMENT 'The version that answered it.',
    predicted_at DateTime64(3, 'UTC') COMMENT 'When it was predicted.',
    score Nullable(Float64) COMMENT 'How unusual it is, from 0 to 1; NULL of a rule.',
    detail String COMMENT 'JSON: of a rule the features that it asks for; of unusual events their features, and which of them make them so.',
    computed_at DateTime64(3, 'UTC') COMMENT 'When it was kept.'
)
ENGINE = {engine}MergeTree
ORDER BY (model_id, window_start, window_end, revision, kind, subject, rank)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Events kept of a window: at most 5 for each of 50 violated expectations, and the most unusual ones.';
