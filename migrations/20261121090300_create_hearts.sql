-- A person's hearts lie together, and the key also divides them by person should they outgrow one server.
-- Ids are compared byte by byte: they are names, not words of a language.
create table hearts (
    user_id bigint not null references users on delete cascade,
    playlist_id text collate "C" not null check (playlist_id ~ '^[0-9A-Za-z]{22}$'),
    hearted_at timestamptz not null,
    -- The playlist's version when it was hearted or last looked at since; null: not known.
    snapshot_id text,
    -- Since when Spotify shows the playlist no more; null: it does, as far as is known.
    gone_at timestamptz,
    primary key (user_id, playlist_id)
);
create index hearts_newest on hearts (user_id, hearted_at desc, playlist_id);

-- How many people hearted a playlist: kept by each change, so that no page counts rows.
create table heart_counts (
    playlist_id text collate "C" primary key,
    hearts bigint not null check (hearts >= 0)
);
