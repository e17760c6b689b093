update hearts set note = $3, tags = $4, note_folded = $5, tags_folded = $6 where user_id = $1 and playlist_id = $2
