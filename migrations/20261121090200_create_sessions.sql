-- Sessions of browsers. The cookie's value is not here, only its digest; what a session holds (person,
-- tokens) is sealed. user_id stands outside the seal so that a person's sessions can be found and ended.
create table sessions (
    id_hash bytea primary key,
    user_id bigint references users on delete cascade,
    sealed bytea not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    -- Until when one process alone may renew the tokens: single-use refresh tokens allow one buyer.
    leased_until timestamptz
);
create index sessions_user_id on sessions (user_id);
create index sessions_expires_at on sessions (expires_at);

-- Sign-ins that wait for the provider's answer. A table and not a part of the session, so that two tabs
-- cannot overwrite each other's, and so that a state is taken by one request and no other.
create table sign_ins (
    state_hash bytea primary key,
    browser_hash bytea not null,
    provider text not null,
    sealed bytea not null,
    started_at timestamptz not null,
    used_at timestamptz
);
create index sign_ins_browser on sign_ins (browser_hash, started_at);
create index sign_ins_started_at on sign_ins (started_at);
