-- Whom an erasure that is under way is about: mutations name these tables in place of ids, since what a mutation says stays on
-- disk for long. Emptied when the erasure is done.

CREATE TABLE IF NOT EXISTS erasing_subjects {on_cluster}
(
    subject_id String COMMENT 'The id of the subject, as events have it: as it was given, or its keyed hash.'
)
ENGINE = {engine}MergeTree
ORDER BY subject_id
COMMENT 'Subjects that are being erased; empty between erasures.';

CREATE TABLE IF NOT EXISTS erasing_predictions {on_cluster}
(
    model_id String COMMENT 'The model.',
    prediction_id String COMMENT 'A prediction about the subject.'
)
ENGINE = {engine}MergeTree
ORDER BY (model_id, prediction_id)
COMMENT 'Predictions about subjects that are being erased; empty between erasures.';

CREATE TABLE IF NOT EXISTS erasing_labels {on_cluster}
(
    model_id String COMMENT 'The model.',
    label_id String COMMENT 'A label of one of the predictions, or one that names the subject.'
)
ENGINE = {engine}MergeTree
ORDER BY (model_id, label_id)
COMMENT 'Labels about subjects that are being erased; empty between erasures.';
