-- What a run was decided with: {model_file_sha256, code_sha256}; null for runs of before.
alter table runs add column configuration jsonb;
-- The manifest of the data set that its job is to learn from, where its policy names one; null until the launch is due.
alter table runs add column dataset jsonb;
