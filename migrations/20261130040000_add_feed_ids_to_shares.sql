-- Feed readers know feeds and entries by their ids. These contained the host of BASE_URL, so a new domain made every
-- entry new. Each page and each link now has an id of its own, which stays. The app stores those of existing shares,
-- because a migration does not know the host.
alter table shares add column page_feed_id text, add column link_feed_id text;

comment on column shares.page_feed_id is 'null: no page, or one published by an earlier release and not adopted yet';
comment on column shares.link_feed_id is 'null: no link, or one created by an earlier release and not adopted yet';
