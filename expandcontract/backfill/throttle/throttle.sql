-- Looks, twice a second while rows are filled. Every one reads views only and takes no lock that anybody waits for.

-- name: written
SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint AS position;

-- name: replicas
-- A logical subscriber tells how far it has confirmed, at its leisure; its slot's backlog is what can be watched.
SELECT coalesce(nullif(r.application_name, ''), 'standby') AS name, coalesce(host(r.client_addr), 'local') AS address,
       r.state IS NULL AS hidden, pg_wal_lsn_diff(r.replay_lsn, '0/0')::bigint AS replayed,
       extract(epoch FROM r.replay_lag)::float8 AS told_s
FROM pg_stat_replication AS r
WHERE r.state IS DISTINCT FROM 'backup' AND NOT EXISTS (
    SELECT FROM pg_replication_slots AS s WHERE s.active_pid = r.pid AND s.slot_type = 'logical');

-- name: slots
SELECT s.slot_name AS name, s.active, s.wal_status = 'unreserved' AS at_risk,
       pg_wal_lsn_diff(pg_current_wal_lsn(), s.restart_lsn)::bigint AS backlog
FROM pg_replication_slots AS s ORDER BY s.slot_name;

-- name: archiver
SELECT current_setting('archive_mode') <> 'off' AND a.last_failed_time IS NOT NULL
           AND a.last_failed_time > coalesce(a.last_archived_time, '-infinity') AS failing,
       coalesce(a.last_failed_wal, '') AS file,
       has_function_privilege('pg_ls_archive_statusdir()', 'EXECUTE') AS may_list
FROM pg_stat_archiver AS a;

-- name: ready
SELECT count(*) AS files FROM pg_ls_archive_statusdir() WHERE name LIKE '%%.ready';

-- name: snapshots
-- A vacuum's own snapshot holds nothing back. Those without an age are known by their xmin only.
SELECT format('session %%s of %%s (%%s)', a.pid, a.usename, coalesce(nullif(a.application_name, ''), 'no name')) AS who,
       a.xact_start IS NULL AS hidden, extract(epoch FROM clock_timestamp() - a.xact_start)::float8 AS age_s,
       NULL AS xmin
FROM pg_stat_activity AS a
WHERE (a.backend_xmin IS NOT NULL OR a.backend_xid IS NOT NULL) AND a.datname = current_database()
  AND a.pid <> pg_backend_pid() AND a.application_name <> %(application)s AND a.usename IS NOT NULL
  AND coalesce(a.backend_type, '') NOT IN ('autovacuum worker', 'parallel worker', 'walsender')
  AND NOT EXISTS (SELECT FROM pg_stat_progress_vacuum AS v WHERE v.pid = a.pid)
UNION ALL
SELECT format('prepared transaction %%s', p.gid), false, extract(epoch FROM clock_timestamp() - p.prepared)::float8, NULL
FROM pg_prepared_xacts AS p WHERE p.database = current_database()
UNION ALL
SELECT format('a query on standby %%s', r.application_name), false, NULL, r.backend_xmin::text
FROM pg_stat_replication AS r WHERE r.backend_xmin IS NOT NULL AND age(r.backend_xmin) > 0
UNION ALL
SELECT format('replication slot %%s', s.slot_name), false, NULL, s.xmin::text
FROM pg_replication_slots AS s WHERE s.xmin IS NOT NULL AND age(s.xmin) > 0;

-- name: dead
SELECT c.oid::bigint AS relation, c.oid::regclass::text AS name, pg_stat_get_dead_tuples(c.oid) AS dead,
       pg_stat_get_live_tuples(c.oid) AS live, pg_get_userbyid(c.relowner) AS owner,
       EXISTS (SELECT FROM pg_stat_progress_vacuum AS v WHERE v.relid = c.oid) AS in_vacuum,
       pg_has_role(c.relowner, 'USAGE') OR pg_has_role(d.datdba, 'USAGE')
           OR coalesce((SELECT pg_has_role(r.oid, 'USAGE') FROM pg_roles AS r WHERE r.rolname = 'pg_maintain'), false)
           OR EXISTS (SELECT FROM aclexplode(c.relacl) AS x WHERE x.privilege_type = 'MAINTAIN'
                      AND (x.grantee = 0 OR pg_has_role(x.grantee, 'USAGE'))) AS allowed
FROM pg_class AS c, pg_database AS d
WHERE c.oid = ANY (%(relations)s::oid[]) AND d.datname = current_database();

-- name: vacuums
SELECT v.pid, v.relid IS NULL AS hidden, coalesce(v.relid::regclass::text, '') AS name
FROM pg_stat_progress_vacuum AS v JOIN pg_stat_activity AS a ON a.pid = v.pid
WHERE v.datid = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND (v.relid IS NULL OR v.relid = ANY (%(relations)s::oid[])) AND a.application_name <> %(application)s;

-- name: waiting
WITH ours AS MATERIALIZED (
    SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = %(application)s
), waiting AS MATERIALIZED (
    SELECT l.pid, min(l.waitstart) AS since FROM pg_locks AS l
    WHERE NOT l.granted AND l.pid NOT IN (SELECT pid FROM ours) GROUP BY l.pid
)
SELECT format('session %%s of %%s (%%s)', a.pid, a.usename, coalesce(nullif(a.application_name, ''), 'no name')) AS who,
       coalesce(extract(epoch FROM clock_timestamp() - w.since), 0)::float8 AS waits_s
FROM waiting AS w JOIN pg_stat_activity AS a ON a.pid = w.pid
WHERE pg_blocking_pids(w.pid) && ARRAY (SELECT pid FROM ours)
ORDER BY w.since;

-- name: active
SELECT count(*) FILTER (WHERE a.state = 'active') AS active,
       count(*) FILTER (WHERE a.state IS NULL AND a.backend_type IS NULL) AS hidden
FROM pg_stat_activity AS a
WHERE a.usename IS NOT NULL AND a.pid <> pg_backend_pid() AND a.application_name <> %(application)s
  AND coalesce(a.backend_type, 'client backend') = 'client backend';

-- name: company
-- Whoever has begun or ended a statement since the last look is at work, between two statements too.
SELECT EXISTS (
    SELECT FROM pg_stat_activity AS a
    WHERE a.usename IS NOT NULL AND a.pid <> pg_backend_pid() AND a.application_name NOT LIKE 'ec %%'
      AND coalesce(a.backend_type, 'client backend') = 'client backend'
      AND (a.state = 'active' OR a.state_change > clock_timestamp() - interval '0.5 s' OR a.backend_type IS NULL)
) AS working;

-- name: give_way
-- A VACUUM that was asked for never yields by itself, as autovacuum does.
SELECT v.pid, pg_cancel_backend(v.pid) AS cancelled
FROM pg_stat_progress_vacuum AS v JOIN pg_stat_activity AS a ON a.pid = v.pid
WHERE a.application_name = %(application)s AND EXISTS (
    SELECT FROM pg_locks AS l WHERE NOT l.granted AND v.pid = ANY (pg_blocking_pids(l.pid)));
