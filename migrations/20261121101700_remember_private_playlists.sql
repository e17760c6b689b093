-- That somebody's library had a playlist as not public, when the row that said so goes: the list of most hearted
-- playlists must not show it once it is forgotten. Left out again while a library has it as public.
alter table heart_counts add column private boolean not null default false;
