-- name: unknown
-- A relation that was only vacuumed has a row count and no statistics; an empty one needs none.
SELECT c.oid::bigint AS oid, n.nspname AS schema, c.relname AS name, pg_get_userbyid(c.relowner) AS owner, current_user AS role,
       pg_has_role(c.relowner, 'USAGE') OR pg_has_role(d.datdba, 'USAGE')
           OR coalesce((SELECT pg_has_role(r.oid, 'USAGE') FROM pg_roles AS r WHERE r.rolname = 'pg_maintain'), false)
           OR EXISTS (SELECT FROM aclexplode(c.relacl) AS x WHERE x.privilege_type = 'MAINTAIN'
                      AND (x.grantee = 0 OR pg_has_role(x.grantee, 'USAGE'))) AS allowed
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_database AS d ON d.datname = current_database()
WHERE c.oid = ANY (%(relations)s::oid[]) AND c.relkind IN ('r', 'm') AND pg_relation_size(c.oid) > 0
  AND (c.reltuples < 0 OR NOT EXISTS (
      SELECT FROM pg_stats AS s WHERE s.schemaname = n.nspname AND s.tablename = c.relname))
ORDER BY n.nspname, c.relname;

-- name: named
SELECT c.oid::bigint, (pg_relation_size(c.oid) / current_setting('block_size')::bigint)::bigint
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relname = %(name)s;

-- name: switched_off
SELECT name, CASE WHEN source = 'user' THEN format('ALTER ROLE %%I RESET %%I', current_user, name)
    WHEN source = 'database user' THEN format('ALTER ROLE %%I IN DATABASE %%I RESET %%I', current_user, current_database(), name)
    WHEN source = 'database' THEN format('ALTER DATABASE %%I RESET %%I', current_database(), name)
    ELSE format('set %%I to on (its value is from: %%s)', name, source) END
FROM pg_settings WHERE name = 'enable_tidscan' AND setting = 'off';
