-- A week in which millions of hearts were given takes seconds to count. So that this stays a small part of what the
-- database does, the lists rest the longer the longer they took.
alter table top_lists add column rest interval not null default '0';

-- What is known as private is little, and asked for each entry of a list that everybody may look at. Presses wait while
-- the numbers are read through for it: a second for ten million playlists.
create index heart_counts_private on heart_counts (playlist_id) where private;
