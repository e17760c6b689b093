select r.playlist_id as id, coalesce(p.name, '') as "name!", p.owner_name as "owner_name?", p.seen_at as "seen_at?",
                  r.hearted_at, r.removed_at, r.note, r.tags
           from (select * from removed_hearts where user_id = $1 and removed_at > $2
                 order by removed_at desc, playlist_id offset $3 limit $4) r
           left join playlists p on p.user_id = r.user_id and p.id = r.playlist_id
           order by r.removed_at desc, r.playlist_id
