-- The e-mail address that a provider gives with an identity, and whether the provider has verified it. An
-- address never decides who somebody is: when two providers vouch for the same one, the newcomer is invited to
-- prove the other account by signing in to it. Found without regard to case, and only where it is verified.
alter table identities add column email text, add column email_verified boolean not null default false;
create index identities_verified_email on identities (lower(email)) where email_verified;
