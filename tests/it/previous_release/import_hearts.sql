with given as (insert into hearts (user_id, playlist_id, hearted_at, note, tags, note_folded, tags_folded)
                          select $1, l.id, l.hearted_at, l.note, string_to_array(l.tags, ','), l.note_folded, string_to_array(l.tags_folded, ',')
                          from unnest($2::text[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::text[])
                               as l (id, hearted_at, note, tags, note_folded, tags_folded)
                          order by l.id on conflict do nothing returning playlist_id),
                counted as (insert into heart_counts as c (playlist_id, hearts) select playlist_id, 1 from given order by playlist_id
                            on conflict (playlist_id) do update set hearts = c.hearts + 1)
           select count(*) as "added!" from given
