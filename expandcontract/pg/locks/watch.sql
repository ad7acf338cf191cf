-- name: relations
SELECT c.oid, n.nspname || '.' || c.relname AS name, c.relkind::text AS kind, pg_relation_filenode(c.oid) AS file,
       pg_stat_get_xact_numscans(c.oid) AS scans, x.indrelid AS table_oid
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace LEFT JOIN pg_index AS x ON x.indexrelid = c.oid
WHERE n.nspname NOT LIKE 'pg\_%' AND n.nspname NOT IN ('information_schema', 'expandcontract') AND c.relkind NOT IN ('t', 'c');

-- name: locks
SELECT l.relation AS oid, l.mode FROM pg_locks AS l
WHERE l.pid = :pid AND l.locktype = 'relation'
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database());

-- name: foreign_keys
SELECT c.oid, c.conrelid AS table_oid, ARRAY(
    WITH RECURSIVE partner AS (
        SELECT c.confrelid AS oid UNION ALL SELECT i.inhrelid FROM partner JOIN pg_inherits AS i ON i.inhparent = partner.oid
    ) SELECT oid FROM partner) AS partners
FROM pg_constraint AS c
WHERE c.contype = 'f' AND c.convalidated;

-- name: relations_outside
SELECT c.oid, n.nspname || '.' || c.relname AS name, c.relkind::text AS kind, pg_relation_filenode(c.oid) AS file,
       pg_stat_get_numscans(c.oid) AS scans, x.indrelid AS table_oid
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace LEFT JOIN pg_index AS x ON x.indexrelid = c.oid
WHERE n.nspname NOT LIKE 'pg\_%' AND n.nspname NOT IN ('information_schema', 'expandcontract') AND c.relkind NOT IN ('t', 'c');

-- name: pid
SELECT pg_backend_pid() AS pid;

-- name: parts
SELECT n.nspname, c.relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = :oid;
