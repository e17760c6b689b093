-- A removed heart that returns takes up the pin that it had. Another heart could have that pin by then, and a build
-- that knows the table but no pins could not bring the first one back. So a removed heart keeps its pin until another
-- one needs it, and no return can fail. Those of before give theirs up: two hearts may have had the same.
drop index user_hearts_pins;
update user_hearts set pin = null where removed_at is not null and pin is not null;
create unique index user_hearts_pins on user_hearts (user_id, pin) where pin is not null;
