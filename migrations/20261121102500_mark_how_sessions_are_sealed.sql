-- A heart asks in its own statement who presses it, without opening the session. That may count only while the
-- secret that sealed the session is one that is still accepted, so the row says which one it was: a number derived
-- from the secret, which tells nothing of it. Null: an older release wrote the row, and the session is opened.
alter table sessions add column sealed_with bigint;
