-- Whoever was kept from sharing could delete the account and join again with the same identity. A digest of the identity
-- outlives the account. The previous release ignores it.
create table sharing_bans (
    identity_hash bytea primary key,
    banned_at timestamptz not null
);
