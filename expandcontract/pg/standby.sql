-- name: here
SELECT pg_current_wal_insert_lsn()::text;

-- name: behind
SELECT r.application_name AS name, coalesce(host(r.client_addr), 'local') AS address,
    pg_wal_lsn_diff(%(until)s::pg_lsn, r.replay_lsn)::bigint AS lag_bytes, r.replay_lag AS lag
FROM pg_stat_replication AS r
WHERE r.state = 'streaming' AND r.replay_lsn IS NOT NULL AND r.replay_lsn < %(until)s::pg_lsn
ORDER BY r.replay_lsn;
