-- Judges: language models that are asked about a share of the predictions of a model.

-- One question of one version of a judge about one prediction, which ends in exactly one state.
create table judge_questions (
  question_id text primary key,
  model_id text not null,
  judge text not null,
  version text not null,
  prediction_id text not null,
  inclusion_probability double precision not null,
  state text not null default 'open' check (state in ('open', 'answered', 'invalid', 'failed', 'unasked')),
  -- Why it has no label.
  reason text not null default '',
  attempts int not null default 0,
  next_attempt_at timestamptz not null,
  -- Who asks it now, and until when nobody else does.
  claim text,
  claimed_until timestamptz,
  -- What is held back of the budget of a day while it is asked.
  reserved_day date,
  reserved_nano_usd bigint not null default 0,
  -- What was asked: an answer to the same is taken again.
  prompt_sha256 text,
  label jsonb,
  comment text not null default '',
  created_at timestamptz not null,
  ended_at timestamptz,
  label_emitted boolean not null default false
);
create index judge_questions_open on judge_questions (model_id, judge, version, next_attempt_at) where state = 'open';
create index judge_questions_unsent on judge_questions (question_id) where state = 'answered' and not label_emitted;
create index judge_questions_answers on judge_questions (model_id, judge, version, prompt_sha256) where state = 'answered';
create index judge_questions_age on judge_questions (created_at);
create index judge_questions_predictions on judge_questions (model_id, prediction_id);

-- A version of a judge: what its answers depend on, and whether it may ask.
create table judge_versions (
  model_id text not null,
  judge text not null,
  version text not null,
  recipe_sha256 text not null,
  -- Name of its labels.
  label_name text not null,
  first_at timestamptz not null,
  -- The endpoint is left alone until then; so many requests have failed in a row.
  paused_until timestamptz,
  failures int not null default 0,
  -- Why its last request failed; empty once one is answered.
  problem text not null default '',
  -- Its agreement with people fell below its floor; labels since agreement_from count.
  muted_at timestamptz,
  muted_reason text not null default '',
  agreement_from timestamptz not null,
  primary key (model_id, judge, version)
);

-- What a judge costs on a day in UTC, in billionths of a US dollar: held back, and spent. All its versions share a budget.
create table judge_days (
  model_id text not null,
  judge text not null,
  day date not null,
  spent_nano_usd bigint not null default 0,
  reserved_nano_usd bigint not null default 0,
  primary key (model_id, judge, day)
);
