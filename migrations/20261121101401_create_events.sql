-- What happened to an account, for its owner's eyes: sign-ins, ways in that came and went, sessions ended.
-- No address is kept, and of the device only its kind. Kept for a year, and no longer than the account.
create table events (
    id bigint generated always as identity primary key,
    user_id bigint not null references users on delete cascade,
    at timestamptz not null,
    kind text not null,
    provider text,
    device text
);
create index events_newest on events (user_id, at desc, id desc);
create index events_at on events (at);
