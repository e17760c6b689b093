select count(*) as "count!" from hearts where user_id = $1
