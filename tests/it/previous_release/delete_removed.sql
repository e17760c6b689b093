delete from removed_hearts where ctid = any(array(
                 select ctid from removed_hearts where removed_at <= $1 order by removed_at limit $2 for update skip locked))
