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
    seen_at timestamptz not null,
    primary key (user_id, id)
);
create index playlists_library on playlists (user_id, position) where position is not null;
create index playlists_seen_at on playlists (seen_at);

-- The age of a person's library.
create table libraries (
    user_id bigint primary key references users on delete cascade,
    fetched_at timestamptz not null
);
