with back as (delete from removed_hearts where user_id = $1 and playlist_id = $2 and removed_at > $3 returning *),
                given as (insert into hearts as h (user_id, playlist_id, hearted_at, snapshot_id, note, tags, note_folded, tags_folded)
                          select user_id, playlist_id, hearted_at, snapshot_id, note, tags, note_folded, tags_folded from back
                          on conflict (user_id, playlist_id) do update set hearted_at = least(h.hearted_at, excluded.hearted_at),
                              note = coalesce(h.note, excluded.note), tags = case when h.tags = '{}' then excluded.tags else h.tags end,
                              note_folded = case when h.note is null then excluded.note_folded else h.note_folded end,
                              tags_folded = case when h.tags = '{}' then excluded.tags_folded else h.tags_folded end
                          returning h.playlist_id, h.xmax = 0 as fresh),
                counted as (insert into heart_counts as c (playlist_id, hearts) select playlist_id, 1 from given where fresh
                            on conflict (playlist_id) do update set hearts = c.hearts + 1)
           select exists (select from given) as "restored!"
