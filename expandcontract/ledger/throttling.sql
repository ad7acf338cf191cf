-- name: record
-- The time since it was last seen is added by whoever sees it first, so several processes count it once.
INSERT INTO expandcontract.throttle AS t (change, signal, times, seconds, last_value, last_limit, last_detail, last_at)
VALUES (%(change)s, %(signal)s, 1, 0, %(value)s, %(limit)s, %(detail)s, clock_timestamp())
ON CONFLICT (change, signal) DO UPDATE SET
    times = t.times + (t.last_at < clock_timestamp() - interval '3 s')::int,
    seconds = t.seconds + CASE WHEN t.last_at < clock_timestamp() - interval '3 s' THEN 0
        ELSE greatest(0, extract(epoch FROM clock_timestamp() - t.last_at)) END,
    last_value = excluded.last_value, last_limit = excluded.last_limit, last_detail = excluded.last_detail,
    last_at = clock_timestamp();
