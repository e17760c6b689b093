delete from removed_hearts where user_id = $1 and ($2::text is null or playlist_id = $2)
