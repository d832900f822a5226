-- How whoever delegated was known: by a key, whose end ends what they delegated, by a token of the issuer, who is not asked about
-- people that are away, or by a name that was claimed; '' of those before this column, which count as by a key.
alter table approval_delegations add column known_by text not null default '' check (known_by in ('', 'key', 'token', 'claimed'));
-- Why it was taken back, or ended.
alter table approval_delegations add column end_reason text not null default '';
