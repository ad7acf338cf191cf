-- name: state
SELECT x.indisvalid FROM pg_index AS x JOIN pg_class AS i ON i.oid = x.indexrelid
JOIN pg_namespace AS n ON n.oid = i.relnamespace
WHERE n.nspname = %(schema)s AND i.relname = %(name)s AND x.indrelid = to_regclass(%(relation)s);

-- name: progress
SELECT p.phase, p.current_locker_pid AS locker, CASE
        WHEN p.blocks_total > 0 THEN round(100.0 * p.blocks_done / p.blocks_total)
        WHEN p.tuples_total > 0 THEN round(100.0 * p.tuples_done / p.tuples_total) END::int AS share
FROM pg_stat_progress_create_index AS p WHERE p.pid = %(pid)s;
