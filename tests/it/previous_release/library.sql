select fetched_at, counted, reached, leased_until, failed_at,
                  (select count(*) from playlists where user_id = $1 and position is not null) as "total!",
                  array_to_string(array(
                        select concat_ws(' ', p.id, p.place, p.since, '-', h.ctid, h.xmin)
                        from (select id, position, ctid as place, xmin as since from playlists
                              where user_id = $1 and position is not null order by position offset $2 limit $3) p
                        left join hearts h on h.user_id = $1 and h.playlist_id = p.id
                        order by p.position), E'\n') as "marks!"
           from libraries where user_id = $1
