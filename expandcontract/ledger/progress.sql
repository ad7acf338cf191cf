-- name: keep
-- Whoever finds that enough time has passed writes, so that several processes keep about one sample together.
INSERT INTO expandcontract.progress
    (change, relation, done, total, rows, rate, eta, hot_share, heap_bytes, waiting)
SELECT %(change)s, %(relation)s, %(done)s, %(total)s, %(rows)s, %(rate)s, %(eta)s, %(hot_share)s, %(heap_bytes)s,
       %(waiting)s::text[]
FROM expandcontract.backfill AS b
WHERE b.change = %(change)s AND (%(last)s OR NOT EXISTS (
    SELECT FROM expandcontract.progress AS p
    WHERE p.change = b.change AND p.at > clock_timestamp() - b.sample_every))
ON CONFLICT DO NOTHING
RETURNING (SELECT count(*) FROM expandcontract.progress AS p WHERE p.change = %(change)s) >= %(most)s;

-- name: thin
-- Every other sample goes, the first and the last one stay, and from now on they are twice as far apart.
WITH slower AS (
    UPDATE expandcontract.backfill SET sample_every = sample_every * 2 WHERE change = %(change)s
), numbered AS (
    SELECT at, row_number() OVER (ORDER BY at DESC) AS number, count(*) OVER () AS of FROM expandcontract.progress WHERE change = %(change)s
)
DELETE FROM expandcontract.progress AS p USING numbered AS n
WHERE p.change = %(change)s AND p.at = n.at AND n.number %% 2 = 0 AND n.number < n.of;

-- name: first
SELECT heap_bytes FROM expandcontract.progress
WHERE change = %(change)s AND relation = %(relation)s ORDER BY at LIMIT 1;

-- name: measure
-- What a session has not told yet is missing: each tells about once a second.
SELECT coalesce(sum(pg_relation_size(oid)), 0)::bigint,
       coalesce(sum(pg_stat_get_tuples_updated(oid)), 0)::bigint,
       coalesce(sum(pg_stat_get_tuples_hot_updated(oid)), 0)::bigint
FROM unnest(%(relations)s::oid[]) AS oid;
