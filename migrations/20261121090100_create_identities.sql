-- Who vouches for a person: the provider's own immutable id, never a name or an e-mail address.
create table identities (
    user_id bigint not null references users on delete cascade,
    provider text not null,
    subject text not null,
    created_at timestamptz not null,
    last_used_at timestamptz not null,
    primary key (user_id, provider),
    unique (provider, subject)
);
