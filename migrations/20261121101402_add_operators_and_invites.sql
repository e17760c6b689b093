-- Who may join: the first person is the operator, and where joining needs an invitation, operators make links
-- that let one person in. Of a link only its digest is kept, so that a stolen dump lets nobody in.
alter table users add column operator boolean not null default false;
update users set operator = true where id = (select min(id) from users);

create table invites (
    id bigint generated always as identity primary key,
    token_hash bytea not null unique,
    created_by bigint not null references users on delete cascade,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    used_at timestamptz,
    -- Null once that person has deleted their account.
    used_by bigint references users on delete set null
);
create index invites_created_by on invites (created_by);
create index invites_used_by on invites (used_by);
