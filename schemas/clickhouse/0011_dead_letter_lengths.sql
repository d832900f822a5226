-- A dead letter is cut where it is too large for the dead-letter topic: its length and hash say what was cut.
ALTER TABLE dead_letters {on_cluster}
    ADD COLUMN IF NOT EXISTS value_bytes UInt64 DEFAULT length(value),
    ADD COLUMN IF NOT EXISTS value_sha256 String DEFAULT lower(hex(SHA256(value)));
