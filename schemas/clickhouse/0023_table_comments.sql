-- What each table and view holds, where analysts look for it: DESCRIBE and SHOW CREATE explain. `docs/data-model.md` has
-- them side by side. A view that is made anew loses its comment: the migration that does so sets it again.
ALTER TABLE predictions {on_cluster}
    MODIFY COMMENT 'Every prediction as it came, once. Repeats within the dedupe horizon are counted in event_counts, not stored.',
    COMMENT COLUMN predicted_at 'When the model answered: event time, by which windows are made.',
    COMMENT COLUMN received_at 'When Plumbline took the event.',
    COMMENT COLUMN shadow 'Answered, but not acted upon: counts only under its own version.',
    COMMENT COLUMN variant 'Arm of an experiment; empty without one.',
    COMMENT COLUMN sampling_fraction 'Probability with which the producer kept this event; it stands for 1 / sampling_fraction. NULL: all were kept.',
    COMMENT COLUMN producer_sequence 'Number that the producer gave the event: gaps are events that were lost.',
    COMMENT COLUMN log_epoch 'Which life of the topic offset belongs to: a topic made anew counts from 0 again.';
ALTER TABLE prediction_times {on_cluster} MODIFY COMMENT 'When a prediction was made, by the hash of its id: labels name predictions by id alone.';
ALTER TABLE event_counts {on_cluster}
    MODIFY COMMENT 'Events, errors and repeats per time bucket of 15 minutes. Sum them: parts merge later.',
    COMMENT COLUMN step 'Start of the time bucket of 15 minutes.',
    COMMENT COLUMN duplicates 'Events with an id that was stored before.',
    COMMENT COLUMN extra_weight 'Sum of 1/f - 1 over events sampled with the fraction f.',
    COMMENT COLUMN extra_squares 'Sum of 1/f² - 1 over sampled events.',
    COMMENT COLUMN extra_errors 'Sum of 1/f - 1 over sampled events that are errors.';
ALTER TABLE numeric_counts {on_cluster}
    MODIFY COMMENT 'Log-linear histograms of numeric features and of the model\'s own numbers (@score, @latency_ms, …) per time bucket.',
    COMMENT COLUMN step 'Start of the time bucket of 15 minutes.',
    COMMENT COLUMN subject 'Feature, or a number of the model itself under @name.',
    COMMENT COLUMN grid 'Bin resolution, 1 (coarse) to 4: leading 12 + 4 * grid bits of the value as a 32-bit float.',
    COMMENT COLUMN bin 'Bin of the log-linear histogram, in the order of the values.',
    COMMENT COLUMN total 'Sum of the values.',
    COMMENT COLUMN extra_weight 'Sum of 1/f - 1 over events sampled with the fraction f.';
ALTER TABLE category_counts {on_cluster} MODIFY COMMENT 'Strings and booleans per time bucket, counted as they are.';
ALTER TABLE producer_counts {on_cluster} MODIFY COMMENT 'What producers emitted, by their sequence numbers, per time bucket.';
ALTER TABLE producer_completeness {on_cluster} MODIFY COMMENT 'View: per producer what it emitted, what was received, what came twice, what is missing so far.';
ALTER TABLE watermarks {on_cluster} MODIFY COMMENT 'The newest event per model and log partition; events from the future do not count.';
ALTER TABLE dead_letters {on_cluster} MODIFY COMMENT 'Messages that could not be stored, with their bytes, their reason and their place in the log.';
ALTER TABLE sink_ranges {on_cluster} MODIFY COMMENT 'Offset ranges of the log that are stored: a row here says that all of its range is.';
ALTER TABLE inference_halves {on_cluster} MODIFY COMMENT 'Requests and responses of model servers until they are paired: sign 1 comes, sign -1 goes.';
ALTER TABLE labels {on_cluster}
    MODIFY COMMENT 'Every label as it came. An outcome weighs all labels of its prediction.',
    COMMENT COLUMN labelled_at 'When the label was given: event time.',
    COMMENT COLUMN final 'The source expects no later label.',
    COMMENT COLUMN name 'What was labelled; label unless said otherwise.',
    COMMENT COLUMN inclusion_probability 'Probability with which this prediction was drawn for review. NULL: it was not drawn.';
ALTER TABLE labels_addressed {on_cluster} MODIFY COMMENT 'The prediction that is meant by a label which names a trace or a subject: looked up once.';
ALTER TABLE labels_arrived {on_cluster} MODIFY COMMENT 'Labels in the order of the log, from which the join reads. Kept for 30 days.';
ALTER TABLE join_positions {on_cluster} MODIFY COMMENT 'The offset after the last that was joined, per partition of the log; it only grows.';
ALTER TABLE labels_joining {on_cluster} MODIFY COMMENT 'Predictions of the batch that is being joined; empty between batches.';
ALTER TABLE labels_waiting_log {on_cluster} MODIFY COMMENT 'Queue of labels to be joined: sign 1 comes, sign -1 goes.';
ALTER TABLE labels_waiting {on_cluster} MODIFY COMMENT 'View: labels whose prediction nobody has seen yet.';
ALTER TABLE outcome_revisions {on_cluster}
    MODIFY COMMENT 'Predictions with their ground truth; a later revision has the higher labels_known. Read the view outcomes.',
    COMMENT COLUMN label 'Ground truth. NULL where it was retracted.',
    COMMENT COLUMN labels_known 'How many labels it was made from: the revision of the outcome.',
    COMMENT COLUMN label_received_at 'When Plumbline took the label that decided.',
    COMMENT COLUMN name 'What was labelled; label unless said otherwise.';
ALTER TABLE outcomes {on_cluster}
    MODIFY COMMENT 'View: the newest outcome of each prediction. label is NULL where the ground truth was retracted.',
    COMMENT COLUMN label 'Ground truth. NULL where it was retracted.',
    COMMENT COLUMN labels_known 'How many labels it was made from: the revision of the outcome.',
    COMMENT COLUMN label_received_at 'When Plumbline took the label that decided.',
    COMMENT COLUMN name 'What was labelled; label unless said otherwise.';
ALTER TABLE outcome_changes {on_cluster} MODIFY COMMENT 'How often outcomes of a time bucket have changed: tells which windows are to be restated.';
ALTER TABLE outcome_changes_view {on_cluster} MODIFY COMMENT 'Materialized view: counts changed outcomes into outcome_changes.';
ALTER TABLE attributes {on_cluster} MODIFY COMMENT 'Attributes that came apart from predictions: of one prediction, or of a subject in all of them.';
ALTER TABLE attributes_latest {on_cluster} MODIFY COMMENT 'View: the newest observation of each attribute; of two at one instant the greater value.';
ALTER TABLE attributes_waiting_log {on_cluster} MODIFY COMMENT 'Queue of attributes whose windows are to be restated: sign 1 comes, sign -1 goes.';
ALTER TABLE window_metrics {on_cluster} MODIFY COMMENT 'Metric results of windows, one row each; a later revision has only what changed. Read window_metrics_latest.';
ALTER TABLE drift_metrics_databricks {on_cluster} MODIFY COMMENT 'View: the newest drift results in the shape of the drift table of Databricks.';
ALTER TABLE verdicts {on_cluster}
    MODIFY COMMENT 'Verdicts of windows, one row each and revision, as in the topic plumbline.verdicts.v1.',
    COMMENT COLUMN restates 'The revision that this one replaces; 0: none.',
    COMMENT COLUMN previous_verdict 'Verdict of the earlier revision, empty where there is none.',
    COMMENT COLUMN episode_id 'Alert episode: alarms in consecutive windows share it.';
ALTER TABLE window_revisions {on_cluster}
    MODIFY COMMENT 'What each revision of a window was made from; its row says that the revision is complete.',
    COMMENT COLUMN events 'Events of the window that this revision was made from.',
    COMMENT COLUMN outcome_changes 'Changes of outcomes that this revision was made from.',
    COMMENT COLUMN maturity 'Share of the label horizon that had passed at the last interim look.',
    COMMENT COLUMN worst 'Worst verdict: alarm, warning, ok or incomplete.';
ALTER TABLE evaluation_failures {on_cluster} MODIFY COMMENT 'Windows that could not be evaluated, one row a try. 1970-01-01 means the model as a whole. Kept for 30 days.';
ALTER TABLE verdict_decisions {on_cluster} MODIFY COMMENT 'Verdict feedback: what people answer to alarms. accept: this is normal; dismiss: no problem; snooze: not before until.';
ALTER TABLE `references` {on_cluster} MODIFY COMMENT 'Spans of time that windows are compared with, once they are frozen.';
ALTER TABLE slice_steps {on_cluster} MODIFY COMMENT 'Time buckets of a slice that are counted; the newest counting of a bucket holds.';
ALTER TABLE slice_event_counts {on_cluster} MODIFY COMMENT 'event_counts by slice value, counted when asked for. Valid for the counting that slice_steps names.';
ALTER TABLE slice_numeric_counts {on_cluster} MODIFY COMMENT 'numeric_counts by slice value, counted when asked for. Valid for the counting that slice_steps names.';
ALTER TABLE slice_category_counts {on_cluster} MODIFY COMMENT 'category_counts by slice value, counted when asked for. Valid for the counting that slice_steps names.';
ALTER TABLE retrain_runs_log {on_cluster} MODIFY COMMENT 'Mirror of runs in PostgreSQL, one row a revision. Read the view retrain_runs.';
ALTER TABLE retrain_runs {on_cluster} MODIFY COMMENT 'View: the newest state of each retraining run.';
ALTER TABLE audit_log {on_cluster} MODIFY COMMENT 'Mirror of the hash-chained audit log in PostgreSQL.';
ALTER TABLE review_tasks_log {on_cluster} MODIFY COMMENT 'Mirror of review tasks in PostgreSQL, one row a revision. Read the view review_tasks.';
ALTER TABLE review_tasks {on_cluster} MODIFY COMMENT 'View: the newest state of each review task.';
ALTER TABLE reviews {on_cluster} MODIFY COMMENT 'Mirror of what reviewers answered.';
ALTER TABLE verdicts_latest {on_cluster} MODIFY COMMENT 'View: each verdict of each window in its newest revision.';
ALTER TABLE cohort_newest_windows {on_cluster} MODIFY COMMENT 'View: the newest evaluated window of each cohort.';
