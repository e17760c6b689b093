select concat_ws(' ', h.playlist_id, p.ctid, p.xmin, '-', h.ctid, h.xmin) as "mark!", count(*) over () as "total!"
           from hearts h
           left join playlists p on p.user_id = h.user_id and p.id = h.playlist_id
           cross join lateral (select nullif(coalesce(p.name_folded, lower(p.name)), '') as name, coalesce(p.owner_folded, lower(p.owner_name)) as owner,
                                      coalesce(h.note_folded, lower(h.note)) as note) f
           where h.user_id = $1
                 and concat_ws(E'\n', f.name, f.owner, f.note) like all ($2) and coalesce(f.owner, '') like all ($3)
                 and (not $4 or coalesce(p.owner_id = (select handle from identities where user_id = $1 and provider = 'spotify'),
                                    p.owner_name = (select display_name from users where id = $1)))
                 and ($5::boolean is null or p.public = $5) and ($6::boolean is null or p.collaborative = $6)
                 and coalesce(h.tags_folded, h.tags) @> $7
           order by case when $8 = 'owner' then f.owner end,
                    case when $8 in ('name', 'owner') then f.name end,
                    case when $8 = 'oldest' then h.hearted_at end,
                    h.hearted_at desc, h.playlist_id
           offset $9 limit $10
