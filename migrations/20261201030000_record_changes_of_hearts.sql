-- An import, and a change of many hearts at once, can be taken back as a whole. So each heart that the last one of a
-- kind changed is stored as it was before and as it was right after: what its owner has changed since stays.
create table heart_changes (
    user_id bigint not null references users (id) on delete cascade,
    kind text not null check (kind in ('edit', 'import')),
    playlist_id text collate "C" not null,
    changed_at timestamptz not null,
    hearted_at timestamptz,
    removed_at timestamptz,
    note text,
    tags text[],
    note_folded text collate "C",
    tags_folded text[] collate "C",
    own_title text,
    own_title_folded text collate "C",
    new_hearted_at timestamptz,
    new_removed_at timestamptz,
    new_note text,
    new_tags text[],
    new_own_title text,
    primary key (user_id, kind, playlist_id)
);
comment on column heart_changes.hearted_at is 'null: there was no heart, and the columns up to own_title_folded are null';
comment on column heart_changes.removed_at is 'null: it had not been removed';
comment on column heart_changes.note is 'null: it had no note';
comment on column heart_changes.tags is 'null: there was no heart';
comment on column heart_changes.note_folded is 'null: it had no note';
comment on column heart_changes.tags_folded is 'null: there was no heart, or its tags were not folded yet';
comment on column heart_changes.own_title is 'null: it was called as Spotify calls it';
comment on column heart_changes.own_title_folded is 'null: it was called as Spotify calls it';
comment on column heart_changes.new_hearted_at is 'null only while the change is being made';
comment on column heart_changes.new_removed_at is 'null: the change did not remove it';
comment on column heart_changes.new_note is 'null: no note after the change';
comment on column heart_changes.new_own_title is 'null: called as Spotify calls it after the change';
comment on column heart_changes.new_tags is 'null only while the change is being made';

create index heart_changes_changed_at on heart_changes (changed_at);
