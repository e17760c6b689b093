-- Sessions in which nobody has signed in end after 15 minutes, and the cleanup deletes them apart from the others.
create index sessions_anonymous on sessions (created_at) where user_id is null;
