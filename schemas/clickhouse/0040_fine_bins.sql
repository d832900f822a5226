-- Bins of values that hardly differ beside their size (1e15 ± 1000, milliseconds since 1970) have keys of up to 53 bits.
ALTER TABLE numeric_counts {on_cluster}
    ADD COLUMN IF NOT EXISTS bin_high Int32 COMMENT 'What the key of the bin holds beyond its low 24 bits, where 32 bits do not hold all of it: the key is bin_high * 16777216 + bin.' AFTER bin,
    MODIFY ORDER BY (model_id, step, subject, model_version, variant, shadow, grid, bin, bin_high);

ALTER TABLE slice_numeric_counts {on_cluster}
    ADD COLUMN IF NOT EXISTS bin_high Int32 COMMENT 'As in numeric_counts.' AFTER bin;
