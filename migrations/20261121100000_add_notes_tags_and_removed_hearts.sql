-- What people write beside a heart, and hearts taken back: kept for 30 days, so that whoever pressed once too
-- often gets the date, the note and the tags back. A table of its own, so that no page of hearts reads past them.
alter table hearts add column note text, add column tags text[] not null default '{}';

create table removed_hearts (
    user_id bigint not null references users on delete cascade,
    playlist_id text collate "C" not null,
    hearted_at timestamptz not null,
    snapshot_id text,
    note text,
    tags text[] not null default '{}',
    removed_at timestamptz not null,
    primary key (user_id, playlist_id)
);
create index removed_hearts_removed_at on removed_hearts (removed_at);
