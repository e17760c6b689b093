-- The page of most hearted playlists is open to everybody and must cost nothing to show: two short lists of ids,
-- made anew by one process at a time from what the hearts keep anyway. Giving a heart writes nothing more for it.
create table top_playlists (
    -- 'week' or 'ever'.
    period text not null,
    place integer not null,
    playlist_id text collate "C" not null,
    week bigint not null,
    ever bigint not null,
    primary key (period, place)
);

-- At most one row: how old the lists are, and until when one process alone makes them.
create table top_lists (
    only_one boolean primary key default true check (only_one),
    made_at timestamptz,
    leased_until timestamptz
);

create index heart_counts_most on heart_counts (hearts desc, playlist_id) where hearts >= 3;
-- A few kilobytes for millions of hearts. Several ranges for a stretch of the table, because a heart that is
-- given back its first date stands among newer ones.
create index hearts_hearted_at on hearts using brin (hearted_at timestamptz_minmax_multi_ops);
-- Whom a playlist was shown to last, and whether anybody knows it as private.
create index playlists_public on playlists (id, seen_at desc) where public;
create index playlists_private on playlists (id) where not public;
