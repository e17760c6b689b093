-- What is written beside a heart goes with it when it is taken back, and so does its folded form: a heart that
-- returns must be found as before. Null until a row is next written.
alter table removed_hearts add column note_folded text, add column tags_folded text[];
