-- People want to know when a playlist they have hearted changes. What Spotify shows anyway says so. One row for each
-- playlist, kind and day, so that a list that is edited all day long, and two requests that learn the same, make one.
create table news (
    user_id bigint not null references users (id) on delete cascade,
    playlist_id text collate "C" not null,
    kind text not null check (kind in ('updated', 'renamed', 'unavailable', 'back')),
    day date not null,
    at timestamptz not null,
    old_name text,
    new_name text,
    primary key (user_id, playlist_id, kind, day)
);
comment on column news.day is 'the day of "at" in UTC';
comment on column news.old_name is 'null: not renamed';
comment on column news.new_name is 'null: not renamed';

create index news_user_id_at on news (user_id, at);
create index news_at on news (at);

-- The private feed of a person's news, at an address that nobody can guess.
create table news_feeds (
    user_id bigint primary key references users (id) on delete cascade,
    token_hash bytea not null unique,
    token_sealed bytea,
    created_at timestamptz not null,
    feed_id text not null
);
comment on column news_feeds.token_sealed is 'null: it came from another account, with a merge, and cannot be shown again';
