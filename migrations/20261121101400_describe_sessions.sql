-- People see where they are signed in, and end what they do not know: a session says when it was signed in, on
-- what kind of device, and when it was last seen. Null: nobody is signed in, or an older release wrote the row.
alter table sessions add column signed_in_at timestamptz, add column device text, add column last_seen_at timestamptz;
