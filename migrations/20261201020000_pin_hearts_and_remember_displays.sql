-- Up to four hearts stand first. Each takes one of four pins, and no two hearts of a person the same one, so the limit
-- holds whatever runs at the same time. A removed heart keeps its pin for its return until another one needs it, so no
-- return can fail, not even in a release that knows the table but no pins. Checked for new rows only, because the table
-- may be large.
alter table user_hearts add column pin smallint;
alter table user_hearts add constraint user_hearts_pin_check check (pin between 1 and 4) not valid;
create unique index user_hearts_pins on user_hearts (user_id, pin) where pin is not null;
comment on column user_hearts.pin is 'null: not pinned';

-- Order, direction and view of a person's lists, chosen on any device. Read together with the session.
alter table users add column displays jsonb;
comment on column users.displays is 'null: nothing chosen';
