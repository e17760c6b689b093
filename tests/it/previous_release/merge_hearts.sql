insert into hearts (user_id, playlist_id, hearted_at, snapshot_id, gone_at, note, tags, note_folded, tags_folded)
         select $2, playlist_id, hearted_at, snapshot_id, gone_at, note, tags, note_folded, tags_folded from hearts where user_id = $1
         on conflict (user_id, playlist_id) do update
         set hearted_at = least(hearts.hearted_at, excluded.hearted_at), note = coalesce(hearts.note, excluded.note),
             note_folded = case when hearts.note is null then excluded.note_folded else hearts.note_folded end,
             tags = array(select distinct tag from unnest(hearts.tags || excluded.tags) as tag order by tag),
             tags_folded = array(select distinct tag from unnest(coalesce(hearts.tags_folded, hearts.tags) || coalesce(excluded.tags_folded, excluded.tags)) as tag)
