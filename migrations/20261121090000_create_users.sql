-- People of ours. No provider's columns, ever: who vouches for a person is a row in identities.
create table users (
    id bigint generated always as identity primary key,
    display_name text not null,
    created_at timestamptz not null
);
