-- name: type
SELECT t.oid, n.nspname AS schema, t.typname AS name, obj_description(t.oid, 'pg_type') AS comment,
       ARRAY(SELECT e.enumlabel::text FROM pg_enum AS e WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder) AS labels,
       ARRAY(SELECT coalesce(nullif(pg_get_userbyid(g.grantee), 'unknown (OID=0)'), 'public')::text
             FROM aclexplode(t.typacl) AS g WHERE g.grantee <> t.typowner ORDER BY 1) AS users
FROM pg_type AS t JOIN pg_namespace AS n ON n.oid = t.typnamespace
WHERE n.nspname = :schema AND t.typname = :name AND t.typtype = 'e';

-- name: types
SELECT n.nspname AS schema, t.typname AS name FROM pg_type AS t JOIN pg_namespace AS n ON n.oid = t.typnamespace
WHERE t.typtype = 'e' ORDER BY 1, 2;

-- name: taken
SELECT EXISTS (SELECT FROM pg_type AS t JOIN pg_namespace AS n ON n.oid = t.typnamespace
               WHERE n.nspname = :schema AND t.typname = :name);

-- name: columns
SELECT n.nspname AS schema, c.relname AS table, a.attname AS column
FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE a.atttypid = :oid AND NOT a.attisdropped AND c.relkind IN ('r', 'p') AND NOT c.relispartition
ORDER BY n.nspname, c.relname, a.attnum;

-- name: users
-- what uses the type, or its array, and is no column of a table, nor hangs on one
SELECT DISTINCT pg_describe_object(d.classid, d.objid, d.objsubid) AS what
FROM pg_depend AS d JOIN pg_type AS t ON t.oid = :oid
LEFT JOIN pg_class AS c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid
WHERE d.refclassid = 'pg_type'::regclass AND d.refobjid IN (t.oid, t.typarray) AND d.deptype IN ('n', 'a')
  AND (d.classid IN ('pg_proc'::regclass, 'pg_rewrite'::regclass, 'pg_type'::regclass, 'pg_cast'::regclass,
                     'pg_operator'::regclass)
       OR (c.oid IS NOT NULL AND (c.relkind NOT IN ('r', 'p', 'i', 'I', 'v', 'm') OR d.refobjid = t.typarray)))
  AND NOT EXISTS (SELECT FROM pg_rewrite AS r JOIN pg_class AS v ON v.oid = r.ev_class
                  WHERE d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
                    AND v.relnamespace = to_regnamespace('expandcontract'))
ORDER BY 1;
