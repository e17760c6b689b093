-- What Spotify showed a person of a playlist, for that person alone: a private playlist's name must not
-- reach somebody who only knows its id. position is its place in the person's library; null when it is
-- known from elsewhere. Dropped when not seen for 30 days (Spotify's terms: no lasting copies).
create table playlists (
    user_id bigint not null references users on delete cascade,
    id text collate "C" not null,
    position integer,
    name text not null,
    owner_name text,
    cover_url text,
    item_count integer,
    public boolean,
    collaborative boolean not null,
    snapshot_id text,
    -- When this version was first seen; null while no version is known.
    snapshot_seen_at timestamptz,
    seen_at timestamptz not null,
    primary key (user_id, id)
);
create index playlists_library on playlists (user_id, position) where position is not null;
create index playlists_seen_at on playlists (seen_at);

-- The state of a person's library.
create table libraries (
    user_id bigint primary key references users on delete cascade,
    -- When Spotify last showed it from its beginning; null: never yet.
    fetched_at timestamptz,
    -- How many entries Spotify counts, and how many of them were read: fewer when it failed half-way.
    counted integer not null default 0,
    reached integer not null default 0,
    -- Until when one process alone asks for it.
    leased_until timestamptz
);
