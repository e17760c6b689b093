with who as (select $1::bigint as id, false as unseen where $1 is not null
                          union all
                          select user_id, coalesce(last_seen_at < now() - interval '5 minutes', true) from sessions
                          where id_hash = $2 and expires_at > now() and user_id is not null and sealed_with = any($3)), back as (delete from removed_hearts where user_id = (select id from who) and playlist_id = $4
                      and not exists (select from hearts where user_id = (select id from who) and playlist_id = $4)
                  returning note, tags, note_folded, tags_folded, case when removed_at > $6 then hearted_at end as hearted_at),
         given as (insert into hearts as h (user_id, playlist_id, hearted_at, snapshot_id, note, tags, note_folded, tags_folded)
                   select w.id, $4, coalesce(b.hearted_at, $5),
                          (select snapshot_id from playlists where user_id = w.id and id = $4), b.note, coalesce(b.tags, '{}'), b.note_folded, b.tags_folded
                   from who w left join back b on true
                   on conflict (user_id, playlist_id) do update
                   set hearted_at = least(h.hearted_at, excluded.hearted_at), note = coalesce(h.note, excluded.note),
                       tags = case when h.tags = '{}' then excluded.tags else h.tags end,
                       note_folded = case when h.note is null then excluded.note_folded else h.note_folded end,
                       tags_folded = case when h.tags = '{}' then excluded.tags_folded else h.tags_folded end
                   where excluded.note is not null or excluded.tags <> '{}' or excluded.hearted_at < h.hearted_at
                   returning h.playlist_id, h.xmax = 0 as fresh),
         counted as (insert into heart_counts as c (playlist_id, hearts) select playlist_id, 1 from given where fresh
                     on conflict (playlist_id) do update set hearts = c.hearts + 1 returning hearts) select w.id as "user!", w.unseen as "unseen!", coalesce((select hearts from counted), (select greatest(hearts, 1) from heart_counts where playlist_id = $4), 1) as "hearts!" from who w
