-- An error of a sampled stream stands for 1 / sampling_fraction of them: the sum of (1/f - 1) over errors.
ALTER TABLE event_counts {on_cluster} ADD COLUMN IF NOT EXISTS extra_errors SimpleAggregateFunction(sum, Float64);
