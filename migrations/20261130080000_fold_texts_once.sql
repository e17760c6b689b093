-- Each process folded all texts at its start and daily, for ever. Now one process folds them once for each version of the
-- rules, goes on where another stopped, and does it a second time for rows of the release that served meanwhile.
create table text_folding (
    only_one boolean primary key default true check (only_one),
    version integer not null,
    passes integer not null default 0,
    reached bigint not null default 0,
    finished_at timestamptz,
    leased_until timestamptz
);
comment on column text_folding.reached is 'id of the last user whose texts this pass has folded';
comment on column text_folding.finished_at is 'end of the last pass; null before the first';
comment on column text_folding.leased_until is 'null: no process is folding';
