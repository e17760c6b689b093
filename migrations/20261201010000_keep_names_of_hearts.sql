-- A name stays as long as its heart, so a person can replace Spotify's by their own, and an operator can limit how long
-- Spotify's is kept after Spotify last showed it. The default is a stable function, so no row is rewritten, and the
-- previous release can insert rows without the column.
alter table user_hearts
    add column own_title text,
    add column own_title_folded text collate "C",
    add column title_seen_at timestamptz not null default now();
comment on column user_hearts.own_title is 'null: the playlist is called as Spotify calls it';
comment on column user_hearts.title_seen_at is
    'when Spotify last showed title, at the least; while the playlist has a row in playlists, seen_at says it';
