-- Mirrors of the control state in PostgreSQL, written through its outbox, for analysts and dashboards.

CREATE TABLE IF NOT EXISTS retrain_runs_log {on_cluster}
(
    run_id String,
    model_id LowCardinality(String),
    policy LowCardinality(String),
    state LowCardinality(String),
    reason String,
    message String,
    window_end Nullable(DateTime64(3, 'UTC')),
    new_version String,
    revision UInt32,
    at DateTime64(3, 'UTC')
)
ENGINE = {engine}ReplacingMergeTree(revision)
ORDER BY (model_id, run_id);

CREATE VIEW IF NOT EXISTS retrain_runs {on_cluster} AS SELECT * FROM retrain_runs_log FINAL;

CREATE TABLE IF NOT EXISTS audit_log {on_cluster}
(
    sequence UInt64,
    at DateTime64(3, 'UTC'),
    actor String,
    action LowCardinality(String),
    subject String,
    detail String,
    previous_hash String,
    hash String
)
ENGINE = {engine}ReplacingMergeTree
ORDER BY sequence;

CREATE TABLE IF NOT EXISTS review_tasks_log {on_cluster}
(
    task_id String,
    model_id LowCardinality(String),
    prediction_id String,
    state LowCardinality(String),
    reviewers UInt8,
    inclusion_probability Float64,
    created_at DateTime64(3, 'UTC'),
    revision UInt32
)
ENGINE = {engine}ReplacingMergeTree(revision)
ORDER BY (model_id, task_id);

CREATE VIEW IF NOT EXISTS review_tasks {on_cluster} AS SELECT * FROM review_tasks_log FINAL;

CREATE TABLE IF NOT EXISTS reviews {on_cluster}
(
    task_id String,
    model_id LowCardinality(String),
    prediction_id String,
    reviewer String,
    label String,
    comment String,
    submitted_at DateTime64(3, 'UTC')
)
ENGINE = {engine}ReplacingMergeTree
ORDER BY (model_id, task_id, reviewer);
