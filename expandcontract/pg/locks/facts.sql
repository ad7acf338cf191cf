-- What a prediction asks of the catalogue. Reads only, locks no table.

-- name: session
SELECT current_schemas(false) AS path, current_setting('TimeZone') AS zone,
       current_setting('server_version_num')::int / 10000 AS major;

-- name: find
SELECT n.nspname AS schema, c.relname AS name FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relname = :name AND n.nspname = ANY (:schemas) ORDER BY array_position(:schemas, n.nspname::text) LIMIT 1;

-- name: relation
SELECT c.oid, n.nspname AS schema, c.relname AS name, c.relkind::text AS kind, c.relispartition AS is_partition,
       x.indrelid AS table_oid,
       (SELECT a.attname FROM pg_partitioned_table AS p JOIN pg_attribute AS a ON a.attrelid = c.oid
          AND a.attnum = p.partattrs[0] WHERE p.partrelid = c.oid AND p.partnatts = 1) AS partition_key
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace LEFT JOIN pg_index AS x ON x.indexrelid = c.oid
WHERE n.nspname = :schema AND c.relname = :name;

-- name: named
SELECT n.nspname AS schema, c.relname AS name FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.oid = :oid;

-- name: columns
SELECT a.attname AS name, a.atttypid AS type_oid, a.atttypmod AS typmod, a.attnotnull AS not_null, a.attidentity <> '' AS identity,
       a.attcollation AS collation_oid,
       (SELECT n.nspname || E'\n' || s.relname FROM pg_depend AS d JOIN pg_class AS s ON s.oid = d.objid AND s.relkind = 'S'
        JOIN pg_namespace AS n ON n.oid = s.relnamespace
        WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = a.attrelid
          AND d.refobjsubid = a.attnum AND d.deptype IN ('a', 'i') LIMIT 1) AS sequence,
       (SELECT n.nspname || E'\n' || s.relname FROM pg_attrdef AS e
        JOIN pg_depend AS d ON d.classid = 'pg_attrdef'::regclass AND d.objid = e.oid AND d.refclassid = 'pg_class'::regclass
        JOIN pg_class AS s ON s.oid = d.refobjid AND s.relkind = 'S' JOIN pg_namespace AS n ON n.oid = s.relnamespace
        WHERE e.adrelid = a.attrelid AND e.adnum = a.attnum LIMIT 1) AS drawn
FROM pg_attribute AS a WHERE a.attrelid = :oid AND a.attnum > 0 AND NOT a.attisdropped;

-- name: keys
SELECT c.conname AS name, c.contype::text AS kind, c.convalidated AS validated, NOT c.connoinherit AS inherited,
       pg_get_constraintdef(c.oid) AS definition, n.nspname AS other_schema, o.relname AS other_name,
       c.conparentid <> 0 AS inner_part,
       ARRAY(SELECT a.attname::text FROM pg_attribute AS a WHERE a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey))
           AS columns
FROM pg_constraint AS c LEFT JOIN pg_class AS o ON o.oid = c.confrelid AND c.contype = 'f'
LEFT JOIN pg_namespace AS n ON n.oid = o.relnamespace
WHERE c.conrelid = :oid;

-- name: referencing
SELECT c.conname AS name, n.nspname AS schema, r.relname AS relation, c.convalidated AS validated,
       ARRAY(SELECT a.attname::text FROM pg_attribute AS a WHERE a.attrelid = c.confrelid AND a.attnum = ANY (c.confkey))
           AS columns
FROM pg_constraint AS c JOIN pg_class AS r ON r.oid = c.conrelid JOIN pg_namespace AS n ON n.oid = r.relnamespace
WHERE c.confrelid = :oid AND c.contype = 'f' AND c.conparentid = 0;

-- name: indexes
SELECT n.nspname AS schema, i.relname AS name, x.indexprs IS NULL AND x.indpred IS NULL AS plain,
       x.indisunique AND x.indisvalid AND x.indexprs IS NULL AND x.indpred IS NULL AS is_unique, x.indnkeyatts AS keys,
       ARRAY(SELECT a.attname::text FROM unnest(x.indkey) WITH ORDINALITY AS k (attnum, n)
             JOIN pg_attribute AS a ON a.attrelid = x.indrelid AND a.attnum = k.attnum ORDER BY k.n) AS ordered,
       x.indnullsnotdistinct AS nulls_not_distinct, i.relispartition AS attached,
       ARRAY(SELECT DISTINCT a.attname::text FROM pg_depend AS d
             JOIN pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
             WHERE d.refobjid = x.indrelid AND (d.objid = x.indexrelid OR d.objid IN (
                 SELECT c.oid FROM pg_constraint AS c WHERE c.conindid = x.indexrelid AND c.conrelid = x.indrelid)))
           AS columns
FROM pg_index AS x JOIN pg_class AS i ON i.oid = x.indexrelid JOIN pg_namespace AS n ON n.oid = i.relnamespace
WHERE x.indrelid = :oid;

-- name: family
SELECT n.nspname AS schema, c.relname AS name, i.inhrelid = :oid AS is_parent, c.relkind::text AS kind,
       c.oid = (SELECT p.partdefid FROM pg_partitioned_table AS p WHERE p.partrelid = i.inhparent) AS is_default
FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = CASE WHEN i.inhrelid = :oid THEN i.inhparent ELSE i.inhrelid END
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE i.inhrelid = :oid OR i.inhparent = :oid;

-- name: views
SELECT n.nspname AS schema, v.relname AS name, v.relkind::text AS kind,
       array_agg(DISTINCT a.attname::text) FILTER (WHERE a.attname IS NOT NULL) AS columns
FROM pg_depend AS d JOIN pg_rewrite AS r ON r.oid = d.objid JOIN pg_class AS v ON v.oid = r.ev_class
JOIN pg_namespace AS n ON n.oid = v.relnamespace
LEFT JOIN pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid AND d.refobjsubid > 0
WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = :oid
  AND v.oid <> d.refobjid
GROUP BY 1, 2, 3;

-- name: triggers
SELECT t.tgname AS name FROM pg_trigger AS t WHERE t.tgrelid = :oid AND NOT t.tgisinternal;

-- name: type_named
SELECT t.oid FROM pg_type AS t JOIN pg_namespace AS n ON n.oid = t.typnamespace
WHERE t.typname = :name AND n.nspname = ANY (:schemas) ORDER BY array_position(:schemas, n.nspname::text) LIMIT 1;

-- name: type
WITH RECURSIVE chain AS (
    SELECT t.oid, t.typbasetype, t.typtypmod, t.typtype, t.typnotnull, 0 AS depth FROM pg_type AS t WHERE t.oid = :oid
    UNION ALL
    SELECT t.oid, t.typbasetype, t.typtypmod, t.typtype, t.typnotnull, depth + 1
    FROM chain JOIN pg_type AS t ON t.oid = chain.typbasetype WHERE chain.typtype = 'd'
)
SELECT (SELECT t.typname FROM chain JOIN pg_type AS t ON t.oid = chain.oid ORDER BY depth DESC LIMIT 1) AS base,
       (SELECT chain.oid FROM chain ORDER BY depth DESC LIMIT 1) AS base_oid,
       (SELECT t.typcollation FROM pg_type AS t WHERE t.oid = :oid) AS collation_oid,
       (SELECT t.typarray FROM pg_type AS t WHERE t.oid = :oid) AS array_oid,
       (SELECT pg_get_expr(t.typdefaultbin, 0) FROM pg_type AS t WHERE t.oid = :oid) AS default,
       coalesce((SELECT max(chain.typtypmod) FROM chain WHERE typtype = 'd'), -1) AS typmod,
       bool_or(typtype = 'd' AND (typnotnull OR EXISTS (
           SELECT FROM pg_constraint AS c WHERE c.contypid = chain.oid AND c.contype IN ('c', 'n')))) AS checked
FROM chain;

-- name: binary
SELECT EXISTS (SELECT FROM pg_cast AS c WHERE c.castsource = :source AND c.casttarget = :target AND c.castmethod = 'b')
    AS same;

-- name: volatile
SELECT bool_or(p.provolatile = 'v') AS volatile FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
WHERE p.proname = :name AND n.nspname = ANY (:schemas);

-- name: collation
SELECT c.oid FROM pg_collation AS c JOIN pg_namespace AS n ON n.oid = c.collnamespace
WHERE c.collname = :name AND n.nspname = ANY (:schemas)
  AND c.collencoding IN (-1, (SELECT encoding FROM pg_database WHERE datname = current_database())) LIMIT 1;

-- name: domain_users
SELECT n.nspname AS schema, c.relname AS name FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE a.atttypid = :oid AND NOT a.attisdropped AND c.relkind IN ('r', 'm', 'p');

-- name: doomed
WITH RECURSIVE doomed AS (
    SELECT CAST(:classid AS regclass)::oid AS classid, CAST(:oid AS oid) AS objid, 0 AS objsubid
    UNION
    SELECT d.classid, d.objid, d.objsubid FROM doomed JOIN pg_depend AS d
      ON d.refclassid = doomed.classid AND d.refobjid = doomed.objid AND (doomed.objsubid = 0 OR d.refobjsubid = doomed.objsubid)
    WHERE d.deptype IN ('n', 'a', 'i', 'P', 'S')
), parts AS (
    SELECT objid AS relation FROM doomed WHERE classid = 'pg_class'::regclass
    UNION SELECT t.tgrelid FROM doomed JOIN pg_trigger AS t ON t.oid = objid WHERE classid = 'pg_trigger'::regclass
    UNION SELECT r.ev_class FROM doomed JOIN pg_rewrite AS r ON r.oid = objid WHERE classid = 'pg_rewrite'::regclass
    UNION SELECT a.adrelid FROM doomed JOIN pg_attrdef AS a ON a.oid = objid WHERE classid = 'pg_attrdef'::regclass
    UNION SELECT p.polrelid FROM doomed JOIN pg_policy AS p ON p.oid = objid WHERE classid = 'pg_policy'::regclass
    UNION SELECT unnest(ARRAY[c.conrelid, c.confrelid]) FROM doomed JOIN pg_constraint AS c ON c.oid = objid
    WHERE classid = 'pg_constraint'::regclass
    UNION SELECT x.indrelid FROM doomed JOIN pg_index AS x ON x.indexrelid = objid WHERE classid = 'pg_class'::regclass
)
SELECT n.nspname AS schema, c.relname AS name FROM parts JOIN pg_class AS c ON c.oid = parts.relation
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND n.nspname NOT LIKE 'pg\_%';

-- name: function_named
SELECT p.oid FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
WHERE p.proname = :name AND n.nspname = ANY (:schemas);

-- name: schema_named
SELECT oid FROM pg_namespace WHERE nspname = :name;

-- name: changes
SELECT name, shape, attached FROM expandcontract.change ORDER BY name;

-- name: has_ledger
SELECT to_regclass('expandcontract.change') IS NOT NULL AS found;

-- name: statistics
SELECT n.nspname AS schema, c.relname AS name FROM pg_statistic_ext AS s JOIN pg_class AS c ON c.oid = s.stxrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace JOIN pg_namespace AS sn ON sn.oid = s.stxnamespace
WHERE s.stxname = :name AND (sn.nspname = :schema OR sn.nspname = ANY (:path));

-- name: read_by
SELECT DISTINCT n.nspname AS schema, c.relname AS name, c.relkind::text AS kind
FROM pg_class AS v JOIN pg_namespace AS vn ON vn.oid = v.relnamespace JOIN pg_rewrite AS r ON r.ev_class = v.oid
JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
JOIN pg_class AS c ON c.oid = d.refobjid AND c.oid <> v.oid JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE vn.nspname = :schema AND v.relname = :name AND n.nspname NOT LIKE 'pg\_%';
