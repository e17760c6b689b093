-- Hearts that stand and hearts that were removed are rows of one table: removing sets removed_at, adding again clears
-- it, so note, tags and date need no second home. title is the person's own label for the playlist, taken from
-- Spotify's name whenever Spotify shows it, and kept as long as the heart.
--
-- The release before this one knows no removed_at, and it serves while this one starts and after a rollback. It finds
-- two views under the old names, one of the hearts that stand and one of those removed, which take its inserts, updates
-- and deletes. They show ctid, xmin and xmax because its statements read them. The next release drops both views.
alter table hearts rename to user_hearts;
alter index hearts_pkey rename to user_hearts_pkey;
alter table user_hearts rename constraint hearts_user_id_fkey to user_hearts_user_id_fkey;
alter table user_hearts
    add column removed_at timestamptz,
    add column title text,
    add column title_folded text collate "C";

insert into user_hearts as h
    (user_id, playlist_id, hearted_at, snapshot_id, note, tags, note_folded, tags_folded, removed_at)
select user_id, playlist_id, hearted_at, snapshot_id, note, tags, note_folded, tags_folded, removed_at
from removed_hearts
-- An import could add a playlist that was among the removed ones. The row that stands gets what the other one held.
on conflict (user_id, playlist_id) do update
    set hearted_at = least(h.hearted_at, excluded.hearted_at),
        note = coalesce(h.note, excluded.note),
        note_folded = case when h.note is null then excluded.note_folded else h.note_folded end,
        tags = case when h.tags = '{}' then excluded.tags else h.tags end,
        tags_folded = case when h.tags = '{}' then excluded.tags_folded else h.tags_folded end;
drop table removed_hearts;

-- A page of hearts reads one range of this index and never a removed row. The other two serve the page of removed
-- hearts and their cleanup.
create index user_hearts_newest on user_hearts (user_id, hearted_at desc, playlist_id) where removed_at is null;
create index user_hearts_removed on user_hearts (user_id, removed_at desc, playlist_id) where removed_at is not null;
create index user_hearts_removed_at on user_hearts (removed_at) where removed_at is not null;
drop index hearts_newest;
-- Counts come from a roll-up that reads the table once; a block range index is one that other engines do not have.
drop index hearts_hearted_at;

create view hearts as
select user_id, playlist_id, hearted_at, snapshot_id, gone_at, note, tags, note_folded, tags_folded, ctid, xmin, xmax
from user_hearts where removed_at is null;
create view removed_hearts as
select user_id, playlist_id, hearted_at, snapshot_id, note, tags, removed_at, note_folded, tags_folded, ctid, xmin
from user_hearts where removed_at is not null;
