select (select count(*) from hearts where user_id = $1) as "total!",
                  array_to_string(array(
                        select concat_ws(' ', h.playlist_id, p.ctid, p.xmin, '-', h.place, h.since)
                        from (select playlist_id, hearted_at, ctid as place, xmin as since from hearts
                              where user_id = $1 order by hearted_at desc, playlist_id offset $2 limit $3) h
                        left join playlists p on p.user_id = $1 and p.id = h.playlist_id
                        order by h.hearted_at desc, h.playlist_id), E'\n') as "marks!"
