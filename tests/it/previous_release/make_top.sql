with week as materialized (select playlist_id, count(*) as hearts from hearts where hearted_at > $1 group by playlist_id),
              ever_list as (
                  select c.playlist_id, c.hearts from heart_counts c
                  where c.hearts >= 3 and not exists (select from playlists s where s.id = c.playlist_id and not s.public)
                        and (not c.private or exists (select from playlists s where s.id = c.playlist_id and s.public and s.seen_at > $3))
                  order by c.hearts desc, c.playlist_id limit $2),
              week_list as (
                  select w.playlist_id, w.hearts as week, c.hearts as ever from week w join heart_counts c using (playlist_id)
                  where c.hearts >= 3 and not exists (select from playlists s where s.id = c.playlist_id and not s.public)
                        and (not c.private or exists (select from playlists s where s.id = c.playlist_id and s.public and s.seen_at > $3))
                  order by w.hearts desc, c.hearts desc, w.playlist_id limit $2)
         insert into top_playlists (period, place, playlist_id, week, ever)
         select 'ever', row_number() over (order by e.hearts desc, e.playlist_id), e.playlist_id, coalesce(w.hearts, 0), e.hearts
         from ever_list e left join week w using (playlist_id)
         union all
         select 'week', row_number() over (order by week desc, ever desc, playlist_id), playlist_id, week, ever from week_list
