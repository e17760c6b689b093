-- Shared pages show names and dates. Notes, a page for each of some tags, and a card for other sites are each chosen by
-- the owner. The previous release shows none of them.
alter table shares
    add column shared_tags text[] not null default '{}',
    add column shows_notes boolean not null default false,
    add column embeddable boolean not null default false;
