-- name: holders
WITH RECURSIVE claimed AS (
    SELECT to_regclass(c.relation)::oid AS relation, c.modes
    FROM jsonb_to_recordset(%(claims)s) AS c (relation text, modes text[])
), whole AS (
    SELECT relation, modes FROM claimed WHERE relation IS NOT NULL
    UNION
    SELECT i.inhrelid, w.modes FROM whole AS w JOIN pg_inherits AS i ON i.inhparent = w.relation
)
SELECT DISTINCT ON (l.pid, p.gid) l.pid, c.oid::regclass::text AS relation, l.mode,
    coalesce(a.usename, p.owner, '') AS role, coalesce(a.application_name, p.gid, '') AS application,
    CASE WHEN a.backend_type = 'client backend' THEN coalesce(host(a.client_addr), 'local') ELSE '' END AS address,
    coalesce(a.state, '') AS state, clock_timestamp() - coalesce(a.xact_start, p.prepared) AS age,
    clock_timestamp() - a.state_change AS quiet, coalesce(a.query, '') AS query,
    CASE WHEN p.gid IS NOT NULL THEN 'prepared transaction'
        -- who may not see other sessions sees of an autovacuum only that it has no user
        WHEN a.backend_type = 'autovacuum worker' OR (a.backend_type IS NULL AND a.usesysid IS NULL) THEN
            CASE WHEN a.query LIKE '%%(to prevent wraparound)%%' OR (a.backend_type IS NULL AND (
                    age(c.relfrozenxid) > current_setting('autovacuum_freeze_max_age')::bigint
                    OR mxid_age(c.relminmxid) > current_setting('autovacuum_multixact_freeze_max_age')::bigint))
                THEN 'autovacuum to prevent wraparound' ELSE 'autovacuum' END
        ELSE 'session' END AS kind
FROM whole AS w
JOIN pg_class AS c ON c.oid = w.relation
JOIN pg_locks AS l ON l.locktype = 'relation' AND l.relation = w.relation AND l.mode = ANY (w.modes)
    AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
LEFT JOIN pg_stat_activity AS a ON a.pid = l.pid
-- a prepared transaction has no process; its lock on its own transaction id tells which one it is
LEFT JOIN pg_locks AS x ON l.pid IS NULL AND x.pid IS NULL AND x.locktype = 'transactionid'
    AND x.virtualtransaction = l.virtualtransaction
LEFT JOIN pg_prepared_xacts AS p ON p.transaction = x.transactionid
WHERE l.pid IS DISTINCT FROM pg_backend_pid() AND (l.pid IS NULL OR l.pid <> ALL (%(ours)s))
  AND (a.pid IS NOT NULL OR p.gid IS NOT NULL)
  AND (a.backend_type = 'autovacuum worker' OR a.usesysid IS NULL
    OR clock_timestamp() - coalesce(a.xact_start, p.prepared) > %(older)s)
ORDER BY l.pid, p.gid, l.granted DESC, l.mode;

-- name: snapshots
SELECT a.pid, '' AS relation, '' AS mode, a.usename AS role, a.application_name AS application,
    coalesce(host(a.client_addr), 'local') AS address, a.state, clock_timestamp() - a.xact_start AS age,
    clock_timestamp() - a.state_change AS quiet, a.query, 'session' AS kind
FROM pg_stat_activity AS a
WHERE a.datname = current_database() AND a.backend_xmin IS NOT NULL AND a.backend_type = 'client backend'
  AND a.pid <> pg_backend_pid() AND a.query NOT ILIKE 'vacuum%%'
ORDER BY a.xact_start;

-- name: sessions
SELECT a.pid, '' AS relation, '' AS mode, coalesce(a.usename, '') AS role, a.application_name AS application,
    CASE WHEN a.backend_type = 'client backend' THEN coalesce(host(a.client_addr), 'local') ELSE '' END AS address,
    coalesce(a.state, '') AS state, clock_timestamp() - a.xact_start AS age,
    clock_timestamp() - a.state_change AS quiet, coalesce(a.query, '') AS query,
    CASE WHEN a.backend_type = 'autovacuum worker' AND a.query LIKE '%%(to prevent wraparound)%%'
        THEN 'autovacuum to prevent wraparound'
        WHEN a.backend_type = 'autovacuum worker' THEN 'autovacuum' ELSE 'session' END AS kind
FROM pg_stat_activity AS a WHERE a.pid = ANY (%(pids)s) ORDER BY a.xact_start;

-- name: waiting
SELECT l.relation::regclass::text AS relation, l.mode, pg_blocking_pids(l.pid) AS pids
FROM pg_locks AS l WHERE l.pid = %(pid)s AND NOT l.granted;

-- name: deadlock_timeout
SELECT setting::int FROM pg_settings WHERE name = 'deadlock_timeout';

-- name: end_idle
SELECT pg_terminate_backend(a.pid, 2000) FROM pg_stat_activity AS a
WHERE a.pid = %(pid)s AND a.usename = ANY (%(roles)s) AND a.state LIKE 'idle in transaction%%'
  AND a.backend_type = 'client backend' AND clock_timestamp() - a.state_change >= %(quiet)s;

-- name: partners
SELECT DISTINCT other.oid::regclass::text
FROM pg_constraint AS c
JOIN pg_class AS other ON other.oid = CASE WHEN c.conrelid = to_regclass(%(relation)s) THEN c.confrelid ELSE c.conrelid END
WHERE c.contype = 'f' AND other.oid <> to_regclass(%(relation)s)
  AND ((c.conrelid = to_regclass(%(relation)s) AND c.conkey && ARRAY(
        SELECT a.attnum FROM pg_attribute AS a WHERE a.attrelid = c.conrelid AND a.attname = ANY (%(columns)s)))
    OR (c.confrelid = to_regclass(%(relation)s) AND c.confkey && ARRAY(
        SELECT a.attnum FROM pg_attribute AS a WHERE a.attrelid = c.confrelid AND a.attname = ANY (%(columns)s))));
