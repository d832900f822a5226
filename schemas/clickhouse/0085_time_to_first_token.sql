-- Language models that stream their answers: how long the first token takes, which people feel before latency_ms.
ALTER TABLE predictions {on_cluster}
    ADD COLUMN IF NOT EXISTS time_to_first_token_ms Nullable(Float64) COMMENT 'Time until the first token or chunk of a streamed answer, in milliseconds; NULL where the event does not say.' AFTER latency_ms;

-- Rows of tables are read as predictions are: they have no operation.
ALTER TABLE reference_rows {on_cluster}
    ADD COLUMN IF NOT EXISTS time_to_first_token_ms Nullable(Float64) ALIAS CAST(NULL, 'Nullable(Float64)') COMMENT 'Not of a table.';
