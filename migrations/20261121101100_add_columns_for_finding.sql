-- Finding playlists by words, whatever their case and accents: names, notes and tags a second time, folded when
-- they are written, so that a search over ten thousand rows folds none. owner_id and handle say whose a playlist
-- is; a handle may change, so it is never what a person is known by. All null until a row is next written.
alter table playlists
    add column owner_id text,
    add column name_folded text collate "C",
    add column owner_folded text collate "C";
alter table hearts
    add column note_folded text,
    add column tags_folded text[];
alter table identities
    add column handle text;
