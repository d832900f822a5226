-- How a label came about is kept: in which spelling it came, how many labelers of its source said so, and how sure they were.
ALTER TABLE labels {on_cluster}
    ADD COLUMN IF NOT EXISTS label_spelled String COMMENT 'The label as classes of its model file are spelled; empty where it came so.';
ALTER TABLE outcome_revisions {on_cluster}
    ADD COLUMN IF NOT EXISTS votes UInt32 COMMENT 'Labelers of its source who say so; 0 of outcomes that are older than this column.',
    ADD COLUMN IF NOT EXISTS voters UInt32 COMMENT 'Labelers of its source: votes / voters is their agreement.',
    ADD COLUMN IF NOT EXISTS confidence Nullable(Float64) COMMENT 'How sure its labeler was; of the review queue the share of reviewers who say so.';

CREATE OR REPLACE VIEW outcomes {on_cluster} AS
SELECT * FROM outcome_revisions FINAL SETTINGS do_not_merge_across_partitions_select_final = 1;
ALTER TABLE outcomes {on_cluster}
    MODIFY COMMENT 'View: the newest outcome of each prediction. label is NULL where the ground truth was retracted.',
    COMMENT COLUMN label 'Ground truth. NULL where it was retracted.',
    COMMENT COLUMN labels_known 'How many labels it was made from: the revision of the outcome.',
    COMMENT COLUMN label_received_at 'When Plumbline took the label that decided.',
    COMMENT COLUMN name 'What was labelled; label unless said otherwise.';

-- Skips are mirrored as answers are.
ALTER TABLE reviews {on_cluster} MODIFY COMMENT 'Mirror of what reviewers answered, and skipped.';
ALTER TABLE reviews {on_cluster}
    ADD COLUMN IF NOT EXISTS skipped Bool COMMENT 'The reviewer gave no answer; label is empty.',
    ADD COLUMN IF NOT EXISTS reason LowCardinality(String) COMMENT 'Why it was skipped: cannot_tell or bad_example.';

CREATE VIEW IF NOT EXISTS review_pairs {on_cluster} AS
SELECT a.model_id AS model_id, a.task_id AS task_id, a.prediction_id AS prediction_id, a.reviewer AS reviewer_a, b.reviewer AS reviewer_b,
  a.label AS label_a, b.label AS label_b, greatest(a.submitted_at, b.submitted_at) AS answered_at
FROM (SELECT model_id, task_id, prediction_id, reviewer, label, submitted_at FROM reviews FINAL WHERE NOT skipped) AS a
INNER JOIN (SELECT model_id, task_id, reviewer, label, submitted_at FROM reviews FINAL WHERE NOT skipped) AS b
ON a.model_id = b.model_id AND a.task_id = b.task_id
WHERE a.reviewer < b.reviewer;
ALTER TABLE review_pairs {on_cluster} MODIFY COMMENT 'View: each two answers to one review task, for the agreement of reviewers.';
