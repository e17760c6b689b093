-- Sharing is off until somebody switches it on: a person without a row, or with an empty one, shows nothing.
-- The page's address is chosen and public. The link's token is a secret: looked up by its digest, and sealed
-- so that its owner can copy it again.
create table shares (
    user_id bigint primary key references users on delete cascade,
    slug text collate "C" unique check (slug ~ '^[0-9a-z-]{3,30}$'),
    slug_since timestamptz,
    token_hash bytea unique,
    token_sealed bytea,
    token_since timestamptz,
    check ((slug is null) = (slug_since is null)),
    check ((token_hash is null) = (token_sealed is null) and (token_hash is null) = (token_since is null))
);
