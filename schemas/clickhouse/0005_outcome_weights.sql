-- Of a sampled stream a known truth stands for 1 / sampling_fraction of them, as its prediction does.
ALTER TABLE outcome_revisions {on_cluster} ADD COLUMN IF NOT EXISTS sampling_fraction Nullable(Float64);

CREATE OR REPLACE VIEW outcomes {on_cluster} AS
SELECT * FROM outcome_revisions FINAL SETTINGS do_not_merge_across_partitions_select_final = 1;
