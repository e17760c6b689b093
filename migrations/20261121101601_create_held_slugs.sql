-- Which slugs are taken, in use or given up not long ago: who follows an address must not come upon somebody
-- else behind it. Only the digest, because the row outlives the account: then it belongs to nobody.
create table held_slugs (
    slug_hash bytea primary key,
    user_id bigint references users on delete set null,
    -- Since when nobody uses it; null: in use, or its owner is gone and the sweep has not come by.
    released_at timestamptz
);
create index held_slugs_user_id on held_slugs (user_id);
create index held_slugs_released_at on held_slugs (released_at);
