-- Bandits and bidding: how likely the chosen action was, and whether it was chosen to learn. With both, what another
-- policy would have earned is told from the log.
ALTER TABLE predictions {on_cluster}
    ADD COLUMN IF NOT EXISTS propensity Nullable(Float64) COMMENT 'Probability with which the chosen action was chosen, in (0, 1]; NULL where the event does not say.',
    ADD COLUMN IF NOT EXISTS exploration Bool COMMENT 'Whether the action was chosen to learn, and is not the one that the model holds best.';
