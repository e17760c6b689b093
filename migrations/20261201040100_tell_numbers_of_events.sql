-- The receipt of a merge says how much was joined, for as long as the event is kept.
alter table events add column details text;
comment on column events.details is 'null: the kind says it all';
