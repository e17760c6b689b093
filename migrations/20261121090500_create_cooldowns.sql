-- Until when nobody asks Spotify, on any process: a row for all endpoints (too many requests at once), and a
-- row for each endpoint whose daily allowance is used up.
create table cooldowns (
    bucket text primary key,
    until timestamptz not null,
    quota boolean not null
);

-- How often Spotify was asked, for the operator: its daily allowance is not published.
create table spotify_calls (
    day date not null,
    endpoint text not null,
    calls bigint not null,
    primary key (day, endpoint)
);
