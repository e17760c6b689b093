with who as (select $1::bigint as id, false as unseen where $1 is not null
                          union all
                          select user_id, coalesce(last_seen_at < now() - interval '5 minutes', true) from sessions
                          where id_hash = $2 and expires_at > now() and user_id is not null and sealed_with = any($3)), gone as (delete from hearts where user_id = (select id from who) and playlist_id = $4 returning *),
         kept as (insert into removed_hearts as r (user_id, playlist_id, hearted_at, snapshot_id, note, tags, note_folded, tags_folded, removed_at)
                  select user_id, playlist_id, hearted_at, snapshot_id, note, tags, note_folded, tags_folded, $5 from gone
                  on conflict (user_id, playlist_id) do update set hearted_at = least(r.hearted_at, excluded.hearted_at), snapshot_id = excluded.snapshot_id,
                      note = coalesce(excluded.note, r.note), tags = case when excluded.tags = '{}' then r.tags else excluded.tags end,
                      note_folded = case when excluded.note is null then r.note_folded else excluded.note_folded end,
                      tags_folded = case when excluded.tags = '{}' then r.tags_folded else excluded.tags_folded end,
                      removed_at = excluded.removed_at),
         counted as (update heart_counts c set hearts = c.hearts - 1 from gone where c.playlist_id = gone.playlist_id returning c.hearts) select w.id as "user!", w.unseen as "unseen!", coalesce((select hearts from counted), (select hearts from heart_counts where playlist_id = $4), 0) as "hearts!" from who w
