-- How many people hearted a playlist is counted by a job, at most a minute late, and no longer by each press: a popular
-- playlist is no hot row, and a press writes one row of one person. week is the same count over the last seven days.
-- The release before this one still adds and subtracts; its numbers may fall below zero until the next count.
alter table heart_counts drop constraint heart_counts_hearts_check;
alter table heart_counts add column week bigint not null default 0;

-- The popular list is made with the names that it shows, so that reading it asks no other table.
alter table top_playlists
    add column name text,
    add column owner_name text,
    add column cover_url text,
    add column seen_at timestamptz;
