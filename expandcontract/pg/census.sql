-- name: sessions
SELECT pid, usename AS role, application_name AS application, CASE WHEN state IS NULL THEN 'an unknown address' ELSE coalesce(client_addr::text, 'local') END AS address,
       coalesce(state, 'unknown') AS state, clock_timestamp() - backend_start AS age
FROM pg_stat_activity WHERE datname = current_database() AND usename = ANY (:roles) ORDER BY backend_start;

-- name: begun
-- An idle session's last transaction began at about its last query; without pg_read_all_stats both are hidden.
SELECT pid, usename AS role, application_name AS application,
       CASE WHEN state IS NULL THEN 'an unknown address' ELSE coalesce(client_addr::text, 'local') END AS address,
       coalesce(state, 'unknown') AS state, clock_timestamp() - backend_start AS age
FROM pg_stat_activity WHERE datname = current_database() AND usename = :role
  AND (state IS NULL OR coalesce(xact_start, query_start) > :since) ORDER BY backend_start;

-- name: snapshots
SELECT format('session %s of %s (%s)', pid, usename, coalesce(nullif(application_name, ''), 'no name')) AS who,
       clock_timestamp() - xact_start AS age
FROM pg_stat_activity WHERE backend_xmin IS NOT NULL AND xact_start < clock_timestamp() - cast(:limit AS interval)
  AND pid <> pg_backend_pid() AND backend_type = 'client backend'
UNION ALL
SELECT format('prepared transaction %s', gid), clock_timestamp() - prepared
FROM pg_prepared_xacts WHERE database = current_database() AND prepared < clock_timestamp() - cast(:limit AS interval)
ORDER BY 2 DESC;
