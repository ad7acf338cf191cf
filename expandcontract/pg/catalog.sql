-- name: table
SELECT c.oid, c.relkind::text AS kind FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = :schema AND c.relname = :name AND c.relkind IN ('r', 'p');

-- name: tables
SELECT n.nspname AS schema, c.relname AS name FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND n.nspname NOT LIKE 'pg\_%' AND n.nspname NOT IN ('information_schema', 'expandcontract');

-- name: columns
SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS not_null,
       pg_get_expr(d.adbin, d.adrelid) AS default, col_description(a.attrelid, a.attnum) AS comment,
       a.attgenerated <> '' AS generated, a.attidentity <> '' AS identity,
       CASE WHEN a.attcollation <> t.typcollation THEN
           (SELECT quote_ident(ns.nspname) || '.' || quote_ident(c.collname) FROM pg_collation AS c
            JOIN pg_namespace AS ns ON ns.oid = c.collnamespace WHERE c.oid = a.attcollation) END AS collation
FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = :oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum;

-- name: grants
SELECT coalesce(nullif(pg_get_userbyid(g.grantee), 'unknown (OID=0)'), 'public') AS grantee, g.privilege_type AS privilege
FROM pg_attribute AS a, aclexplode(a.attacl) AS g
WHERE a.attrelid = :oid AND a.attname = :column ORDER BY 1, 2;

-- name: indexes
SELECT i.relname AS name, pg_get_indexdef(x.indexrelid) AS definition, x.indisunique AS unique,
       x.indisvalid AS valid, x.indisreplident AS identity,
       (SELECT c.conname FROM pg_constraint AS c WHERE c.conindid = x.indexrelid AND c.contype IN ('p', 'u', 'x')) AS constraint
FROM pg_index AS x JOIN pg_class AS i ON i.oid = x.indexrelid
WHERE x.indrelid = :oid AND EXISTS (
    SELECT FROM pg_depend AS d JOIN pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
    WHERE d.refobjid = x.indrelid AND a.attname = :column AND (d.objid = x.indexrelid OR d.objid IN
        (SELECT c.oid FROM pg_constraint AS c WHERE c.conindid = x.indexrelid AND c.conrelid = x.indrelid)))
ORDER BY i.relname;

-- name: constraints
SELECT c.conname AS name, c.contype::text AS kind, pg_get_constraintdef(c.oid) AS definition, c.conrelid = :oid AS own,
       c.convalidated AS validated, conrelid::regclass::text AS on_table, k.columns, k.included,
       c.condeferrable AS deferrable, c.condeferred AS deferred
FROM pg_constraint AS c
LEFT JOIN pg_index AS x ON x.indexrelid = c.conindid AND c.contype IN ('p', 'u', 'x')
CROSS JOIN LATERAL (
    SELECT ARRAY(SELECT a.attname::text FROM unnest(c.conkey) WITH ORDINALITY AS n (attnum, place)
                 JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = n.attnum ORDER BY place) AS columns,
           ARRAY(SELECT a.attname::text FROM unnest(x.indkey) WITH ORDINALITY AS n (attnum, place)
                 JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = n.attnum
                 WHERE place > x.indnkeyatts ORDER BY place) AS included
) AS k
WHERE (c.conrelid = :oid AND :column = ANY (k.columns || k.included))
   OR (c.confrelid = :oid AND EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = :oid AND a.attname = :column
          AND a.attnum = ANY (c.confkey)))
ORDER BY c.conname;

-- name: beside
SELECT DISTINCT a.attname AS name
FROM pg_depend AS mine JOIN pg_attribute AS m ON m.attrelid = mine.refobjid AND m.attnum = mine.refobjsubid
JOIN pg_depend AS theirs ON theirs.classid = mine.classid AND theirs.objid = mine.objid
    AND theirs.refclassid = 'pg_class'::regclass AND theirs.refobjid = mine.refobjid
JOIN pg_attribute AS a ON a.attrelid = theirs.refobjid AND a.attnum = theirs.refobjsubid
LEFT JOIN pg_class AS i ON mine.classid = 'pg_class'::regclass AND i.oid = mine.objid
WHERE mine.refclassid = 'pg_class'::regclass AND mine.refobjid = :oid AND m.attname = :column AND a.attname <> :column
  AND (mine.classid = 'pg_constraint'::regclass OR i.relkind IN ('i', 'I'))
ORDER BY 1;

-- name: leaves
SELECT c.oid::bigint AS oid, n.nspname AS schema, c.relname AS name,
       coalesce(pg_relation_filenode(c.oid), 0)::bigint AS filenode,
       coalesce(pg_relation_size(c.oid), 0) / current_setting('block_size')::bigint AS pages, c.reltuples::bigint AS rows,
       CASE WHEN c.relkind = 'f' THEN 'foreign table' ELSE a.amname END AS method
FROM (SELECT relid FROM pg_partition_tree(:oid) WHERE isleaf UNION SELECT :oid) AS p
JOIN pg_class AS c ON c.oid = p.relid
JOIN pg_namespace AS n ON n.oid = c.relnamespace LEFT JOIN pg_am AS a ON a.oid = c.relam
WHERE c.relkind IN ('r', 'f')
ORDER BY 2, 3;

-- name: primary_key
SELECT a.attname::text AS name
FROM pg_index AS x CROSS JOIN LATERAL unnest(x.indkey) WITH ORDINALITY AS k (attnum, place)
JOIN pg_attribute AS a ON a.attrelid = x.indrelid AND a.attnum = k.attnum
WHERE x.indrelid = :oid AND x.indisprimary AND k.place <= x.indnkeyatts ORDER BY k.place;

-- name: relation
SELECT c.oid FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = :schema AND c.relname = :name AND c.relkind IN ('r', 'p', 'v');

-- name: dependents
WITH leaving AS (
    SELECT NOT EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = :oid AND a.attnum > 0 AND NOT a.attisdropped
                       AND NOT a.attname = ANY (:columns)) AS whole
)
SELECT DISTINCT pg_describe_object(d.classid, d.objid, 0) AS what
FROM leaving CROSS JOIN pg_depend AS d
LEFT JOIN pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid AND d.refobjsubid <> 0
LEFT JOIN pg_rewrite AS r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
LEFT JOIN pg_class AS v ON v.oid = r.ev_class
LEFT JOIN pg_trigger AS g ON d.classid = 'pg_trigger'::regclass AND g.oid = d.objid
WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = :oid
  AND (a.attname = ANY (:columns) AND d.deptype IN ('n', 'i') OR d.refobjsubid = 0 AND leaving.whole AND d.deptype = 'n')
  AND NOT (d.classid = 'pg_class'::regclass AND d.objid = :oid)
  AND d.classid <> 'pg_attrdef'::regclass
  AND NOT (d.classid = 'pg_class'::regclass AND d.deptype = 'i')
  AND (v.oid IS NULL OR v.relnamespace <> 'expandcontract'::regnamespace)
  AND (g.oid IS NULL OR g.tgname NOT LIKE 'zz\_expandcontract\_%')
  AND NOT (d.classid = 'pg_constraint'::regclass AND EXISTS (
      SELECT FROM pg_constraint AS c WHERE c.oid = d.objid AND (c.conrelid = :oid OR EXISTS (
          -- another table's key that has been made over the new columns too; the contract drops this one
          SELECT FROM pg_constraint AS twin JOIN pg_attribute AS k ON k.attrelid = :oid AND k.attnum = ANY (twin.confkey)
          WHERE twin.contype = 'f' AND twin.conrelid = c.conrelid AND twin.conkey = c.conkey AND twin.confrelid = :oid
          GROUP BY twin.oid HAVING bool_and(k.attname <> ALL (:columns)) AND bool_and(twin.convalidated)))))
UNION ALL
SELECT format('column %s, which is generated from it', g.attname)
FROM pg_attrdef AS e JOIN pg_attribute AS g ON g.attrelid = e.adrelid AND g.attnum = e.adnum AND g.attgenerated <> ''
JOIN pg_depend AS d ON d.classid = 'pg_attrdef'::regclass AND d.objid = e.oid
    AND d.refclassid = 'pg_class'::regclass AND d.refobjid = e.adrelid
JOIN pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
WHERE e.adrelid = :oid AND a.attname = ANY (:columns) AND NOT g.attname = ANY (:columns)
UNION ALL
SELECT pg_describe_object(d.classid, d.objid, d.objsubid)
FROM leaving JOIN pg_type AS t ON t.typrelid = :oid AND leaving.whole
JOIN pg_depend AS d ON d.refclassid = 'pg_type'::regclass AND d.refobjid IN (t.oid, t.typarray) AND d.deptype = 'n'
UNION ALL
SELECT format('%s %s, whose body mentions it', CASE p.prokind WHEN 'p' THEN 'procedure' ELSE 'function' END, p.oid::regprocedure)
FROM leaving CROSS JOIN pg_proc AS p JOIN pg_language AS l ON l.oid = p.prolang
WHERE l.lanname IN ('sql', 'plpgsql') AND p.pronamespace NOT IN ('pg_catalog'::regnamespace, 'expandcontract'::regnamespace)
  AND p.pronamespace <> 'information_schema'::regnamespace
  AND p.prosrc ~ ('(?<!\w)' || regexp_replace(:table, '(\W)', '\\\1', 'g') || '(?!\w)')
  AND (leaving.whole OR EXISTS (
      SELECT FROM unnest(:columns) AS c WHERE p.prosrc ~ ('(?<!\w)' || regexp_replace(c, '(\W)', '\\\1', 'g') || '(?!\w)')))
ORDER BY 1;
