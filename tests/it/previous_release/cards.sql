select w.id as "id!", coalesce(p.name, '') as "name!", p.owner_name as "owner_name?", p.cover_url as "cover_url?", p.item_count as "item_count?", p.public as "public?",
                  coalesce(p.collaborative, false) as "collaborative!", p.seen_at as "seen_at?", h.hearted_at as "hearted_at?",
                  case when h.snapshot_id <> p.snapshot_id then p.snapshot_seen_at end as changed_at, h.gone_at as "gone_at?",
                  h.note as "note?", coalesce(h.tags, '{}') as "tags!", concat_ws(' ', w.id, p.ctid, p.xmin, '-', h.ctid, h.xmin) as "mark!"
           from unnest($2::text[]) with ordinality as w (id, place)
           left join playlists p on p.user_id = $1 and p.id = w.id
           left join hearts h on h.user_id = $1 and h.playlist_id = w.id
           order by w.place
