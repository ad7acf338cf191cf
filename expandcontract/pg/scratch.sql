-- name: identity
SELECT s.system_identifier::text AS system, d.oid::bigint AS database
FROM pg_control_system() AS s, pg_database AS d WHERE d.datname = current_database();

-- name: session
SELECT pg_postmaster_start_time()::text AS system, d.oid::bigint AS database
FROM pg_database AS d WHERE d.datname = current_database();

-- name: own
SELECT n.nspname || '.' || c.relname AS name FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
UNION ALL
SELECT n.nspname || '.' || p.proname || '()' FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
WHERE n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
ORDER BY 1;

-- name: schemas
SELECT n.nspname AS name FROM pg_namespace AS n
WHERE n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema' ORDER BY 1;

-- name: rehearsed
SELECT obj_description(n.oid, 'pg_namespace') LIKE 'ec rehearse%' AS ours FROM pg_namespace AS n
WHERE n.nspname = 'expandcontract';

-- name: roles
SELECT rolname AS name FROM pg_roles WHERE rolname NOT LIKE 'pg\_%' ORDER BY 1;

-- name: table
SELECT n.nspname AS schema, c.relname AS name FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.oid = to_regclass(:relation);

-- name: columns
SELECT attname FROM pg_attribute
WHERE attrelid = to_regclass(:relation) AND attnum > 0 AND NOT attisdropped ORDER BY attnum;

-- name: rough_rows
SELECT sum(c.reltuples) FILTER (WHERE c.reltuples >= 0)::bigint AS rows FROM pg_class AS c
WHERE c.relkind IN ('r', 'm') AND (c.oid IN (SELECT relid FROM pg_partition_tree(to_regclass(:relation)))
    OR c.oid = to_regclass(:relation));
