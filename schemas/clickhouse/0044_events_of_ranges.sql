-- A message of a source of the user's own may be many events, or none of a consumer's: the events that a range has left
-- are no longer its messages less what was refused or repeated.
ALTER TABLE sink_ranges {on_cluster}
    ADD COLUMN IF NOT EXISTS filtered UInt64 DEFAULT 0 COMMENT 'Messages of the range that the filters of a source leave out.',
    ADD COLUMN IF NOT EXISTS events UInt64 DEFAULT rows - rejected - duplicates COMMENT 'Events of the range that are stored: of a message there may be many.';

-- What a range that an earlier mapping of a source began is completed with.
CREATE TABLE IF NOT EXISTS source_revisions {on_cluster}
(
    source LowCardinality(String) COMMENT 'Name of the source.',
    revision String COMMENT 'Of the source file and its .proto file.',
    text String COMMENT 'The source file.' CODEC(ZSTD),
    proto String COMMENT 'The .proto file; empty where there is none.' CODEC(ZSTD),
    used_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') COMMENT 'When a process began to use it.'
)
ENGINE = {engine}ReplacingMergeTree(used_at)
ORDER BY (source, revision)
COMMENT 'Source files that messages were mapped by, in every revision.';
