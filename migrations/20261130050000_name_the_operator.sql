-- Being the first to sign in no longer makes anybody operator: a setting names operators, or a link that the start prints
-- is used once. Such a link is an invitation that nobody created. The previous release lets its bearer join, and no more.
alter table invites alter column created_by drop not null;
alter table invites add column makes_operator boolean not null default false;
comment on column invites.created_by is 'Null for a link that the program printed.';

-- Entries that operators keep off the popular lists, whatever the counts say.
create table hidden_playlists (
    playlist_id text collate "C" primary key,
    hidden_at timestamptz not null
);

-- Set while an operator keeps the user from sharing. Page and link are removed as well, which the previous release sees.
alter table shares add column taken_down_at timestamptz;
comment on column shares.taken_down_at is 'Null if the user may share.';

-- At most one row: whether the people of this database are made up. The other mode refuses to start on it. The program
-- fills it in at its first start.
create table installation (
    only_one boolean primary key default true check (only_one),
    demo boolean not null
);
