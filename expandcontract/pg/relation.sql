-- name: traits
SELECT c.oid, c.relkind = 'p' AS partitioned, c.relispartition AS partition, c.reloftype <> 0 AS typed,
       (SELECT h.inhparent::regclass::text FROM pg_inherits AS h WHERE h.inhrelid = c.oid LIMIT 1) AS parent,
       NOT c.relispartition AND c.relkind = 'r' AND EXISTS (SELECT FROM pg_inherits AS h WHERE h.inhparent = c.oid) AS inherited,
       EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attacl IS NOT NULL) AS column_grants
FROM pg_class AS c WHERE c.oid = cast(:oid AS oid);

-- name: descendants
WITH RECURSIVE below AS (
    SELECT h.inhrelid AS oid FROM pg_inherits AS h WHERE h.inhparent = cast(:oid AS oid)
    UNION SELECT h.inhrelid FROM below JOIN pg_inherits AS h ON h.inhparent = below.oid
)
SELECT b.oid::regclass::text AS name, a.attname IS NOT NULL AS has_column, pg_get_expr(d.adbin, d.adrelid) AS default,
       a.attislocal AS own
FROM below AS b LEFT JOIN pg_attribute AS a ON a.attrelid = b.oid AND a.attname = :column AND NOT a.attisdropped
LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum ORDER BY 1;

-- name: inserters
SELECT DISTINCT CASE WHEN g.grantee = 0 THEN 'public' ELSE pg_get_userbyid(g.grantee) END AS role
FROM pg_class AS c LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid,
     LATERAL (SELECT * FROM aclexplode(c.relacl) UNION ALL SELECT * FROM aclexplode(a.attacl)) AS g
WHERE c.oid = cast(:oid AS oid) AND g.privilege_type = 'INSERT' AND g.grantee <> c.relowner ORDER BY 1;

-- name: index
SELECT n.nspname AS schema, i.relname AS name, tn.nspname AS table_schema, t.relname AS table, x.indisunique AS unique,
       x.indisvalid AS valid, x.indisprimary AS primary, x.indisreplident AS replica, i.relkind = 'I' AS partitioned,
       ARRAY(SELECT a.attname::text FROM pg_attribute AS a WHERE a.attrelid = x.indrelid AND a.attnum = ANY (x.indkey)
             ORDER BY a.attnum) AS columns,
       pg_get_indexdef(x.indexrelid) AS definition, obj_description(i.oid, 'pg_class') AS comment,
       (SELECT c.conname FROM pg_constraint AS c WHERE c.conindid = i.oid AND c.contype IN ('p', 'u', 'x')) AS constraint,
       (SELECT string_agg(format('%I of %s', c.conname, c.conrelid::regclass), ', ') FROM pg_constraint AS c
        WHERE c.conindid = i.oid AND c.contype = 'f') AS referrers,
       (SELECT h.inhparent::regclass::text FROM pg_inherits AS h WHERE h.inhrelid = i.oid LIMIT 1) AS parent
FROM pg_index AS x JOIN pg_class AS i ON i.oid = x.indexrelid JOIN pg_namespace AS n ON n.oid = i.relnamespace
JOIN pg_class AS t ON t.oid = x.indrelid JOIN pg_namespace AS tn ON tn.oid = t.relnamespace
WHERE n.nspname = :schema AND i.relname = :name;

-- name: same_index
SELECT i.relname AS name FROM pg_index AS x JOIN pg_class AS i ON i.oid = x.indexrelid
WHERE x.indrelid = cast(:oid AS oid) AND x.indisvalid AND split_part(pg_get_indexdef(x.indexrelid), ' USING ', 2) = :tail LIMIT 1;

-- name: indexes
SELECT n.nspname || '.' || i.relname AS name FROM pg_index AS x JOIN pg_class AS i ON i.oid = x.indexrelid
JOIN pg_namespace AS n ON n.oid = i.relnamespace WHERE n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'expandcontract';

-- name: constraint
SELECT c.conname AS name, c.contype::text AS kind, pg_get_constraintdef(c.oid) AS definition, c.convalidated AS validated,
       c.coninhcount > 0 AS inherited, c.contype = 'c' AND c.connoinherit AS no_inherit, obj_description(c.oid, 'pg_constraint') AS comment,
       ARRAY(SELECT a.attname::text FROM unnest(c.conkey) WITH ORDINALITY AS k (n, place)
             JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = k.n ORDER BY place) AS columns,
       rn.nspname AS referred_schema, r.relname AS referred, f.columns AS referred_columns,
       substr(pg_get_constraintdef(c.oid), length(format('FOREIGN KEY (%s) REFERENCES %s(%s) ',
           (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY place) FROM unnest(c.conkey) WITH ORDINALITY AS k (n, place)
            JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = k.n), c.confrelid::regclass, f.list)) + 1) AS tail,
       c.contype = 'f' AND (c.confdeltype NOT IN ('a', 'r') OR c.confupdtype NOT IN ('a', 'r')) AS acts,
       CASE WHEN c.contype IN ('p', 'u') THEN (SELECT string_agg(format('%I of %s', f.conname, f.conrelid::regclass), ', ')
        FROM pg_constraint AS f WHERE f.conindid = c.conindid AND f.contype = 'f') END AS referrers,
       coalesce((SELECT x.indisreplident FROM pg_index AS x WHERE x.indexrelid = c.conindid AND c.contype IN ('p', 'u')), false)
           AS replica,
       (SELECT string_agg(DISTINCT pg_describe_object(d.classid, d.objid, 0), ', ') FROM pg_depend AS d
        WHERE d.refclassid = 'pg_constraint'::regclass AND d.refobjid = c.oid AND d.deptype = 'n') AS dependents
FROM pg_constraint AS c LEFT JOIN pg_class AS r ON r.oid = nullif(c.confrelid, 0)
LEFT JOIN pg_namespace AS rn ON rn.oid = r.relnamespace
CROSS JOIN LATERAL (
    SELECT array_agg(a.attname::text ORDER BY place) AS columns, string_agg(quote_ident(a.attname), ', ' ORDER BY place) AS list
    FROM unnest(c.confkey) WITH ORDINALITY AS k (n, place) JOIN pg_attribute AS a ON a.attrelid = c.confrelid AND a.attnum = k.n
) AS f WHERE c.conrelid = cast(:oid AS oid) AND c.conname = :name;

-- name: constraints
SELECT c.conname AS name FROM pg_constraint AS c WHERE c.conrelid = cast(:oid AS oid);

-- name: not_null
SELECT c.conname AS name, c.coninhcount > 0 AS inherited FROM pg_constraint AS c JOIN pg_attribute AS a
ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
WHERE c.conrelid = cast(:oid AS oid) AND c.contype = 'n' AND a.attname = :column;

-- name: needed
SELECT format('index %s is the replica identity', x.indexrelid::regclass) AS what FROM pg_index AS x
JOIN pg_attribute AS a ON a.attrelid = x.indrelid AND a.attnum = ANY (x.indkey)
WHERE x.indrelid = cast(:oid AS oid) AND a.attname = :column AND x.indisreplident;

-- name: enum
SELECT t.oid, t.typtype::text AS kind, ARRAY(SELECT e.enumlabel::text FROM pg_enum AS e WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder) AS labels
FROM pg_type AS t JOIN pg_namespace AS n ON n.oid = t.typnamespace WHERE n.nspname = :schema AND t.typname = :name;

-- name: enums
SELECT n.nspname || '.' || t.typname AS name FROM pg_type AS t JOIN pg_namespace AS n ON n.oid = t.typnamespace
WHERE t.typtype = 'e';

-- name: enum_columns
SELECT n.nspname AS schema, c.relname AS table, a.attname AS column FROM pg_attribute AS a
JOIN pg_class AS c ON c.oid = a.attrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE a.atttypid IN (cast(:oid AS oid), (SELECT typarray FROM pg_type WHERE oid = cast(:oid AS oid)))
  AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND NOT a.attisdropped ORDER BY 1, 2, 3;
