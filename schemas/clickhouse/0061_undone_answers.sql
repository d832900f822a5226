-- An answer that its reviewer took back is mirrored as one that was not given.
ALTER TABLE reviews {on_cluster} COMMENT COLUMN reason 'Why it was skipped: cannot_tell or bad_example; undone where the reviewer took the answer back.';
