-- Manifests of data sets that people made: what each was made of, and the hash by which its bytes are known. Rows are read
-- again when they are fetched, so that what was erased since is in none.
create table datasets (
  dataset_id text primary key,
  model_id text not null,
  made_at timestamptz not null,
  made_by text not null,
  -- Null once it named a subject that was erased.
  manifest jsonb,
  erased_at timestamptz
);
create index datasets_newest on datasets (made_at desc, dataset_id);
