-- When Spotify last failed to show a library: who has an old list then looks at that for a while, and does not
-- wait out Spotify's silence with every page.
alter table libraries add column failed_at timestamptz;
