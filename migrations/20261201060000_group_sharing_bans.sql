-- A deleted account can have had several identities. An operator who lets its owner share again under one of them allows
-- the others too. The previous release leaves the column empty.
alter table sharing_bans add column group_hash bytea;
comment on column sharing_bans.group_hash is
    'one of the hashes, the same for all identities of a person; null: stored by the previous release';
