-- name: along
SELECT CASE WHEN k.oid IS NULL THEN 'index ' || i.relname
            ELSE CASE k.contype WHEN 'p' THEN 'primary key ' WHEN 'u' THEN 'unique constraint ' ELSE 'exclusion constraint ' END || k.conname
       END || coalesce(' (also over ' || (
           SELECT string_agg(a.attname, ', ' ORDER BY a.attnum) FROM pg_attribute AS a
           WHERE a.attrelid = x.indrelid AND a.attnum = ANY (x.indkey) AND a.attname <> :column) || ')', '') AS what
FROM pg_index AS x JOIN pg_class AS i ON i.oid = x.indexrelid
LEFT JOIN pg_constraint AS k ON k.conindid = x.indexrelid AND k.conrelid = x.indrelid AND k.contype IN ('p', 'u', 'x')
WHERE x.indrelid = :oid AND EXISTS (
    SELECT FROM pg_depend AS d JOIN pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
    WHERE d.refobjid = x.indrelid AND a.attname = :column AND d.objid IN (x.indexrelid, k.oid))
UNION ALL
SELECT CASE k.contype WHEN 'c' THEN 'check ' ELSE 'foreign key ' END || k.conname || coalesce(' (also over ' || (
           SELECT string_agg(a.attname, ', ' ORDER BY a.attnum) FROM pg_attribute AS a
           WHERE a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey) AND a.attname <> :column) || ')', '')
FROM pg_constraint AS k JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)
WHERE k.conrelid = :oid AND k.contype IN ('c', 'f') AND k.conparentid = 0 AND a.attname = :column
UNION ALL
SELECT DISTINCT 'statistics ' || s.stxname
FROM pg_statistic_ext AS s JOIN pg_attribute AS a ON a.attrelid = s.stxrelid
JOIN pg_depend AS d ON d.classid = 'pg_statistic_ext'::regclass AND d.objid = s.oid
    AND d.refclassid = 'pg_class'::regclass AND d.refobjid = s.stxrelid AND d.refobjsubid = a.attnum
WHERE s.stxrelid = :oid AND a.attname = :column
UNION ALL
SELECT 'sequence ' || c.oid::regclass
FROM pg_depend AS d JOIN pg_class AS c ON c.oid = d.objid AND c.relkind = 'S'
JOIN pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
WHERE d.classid = 'pg_class'::regclass AND d.refobjid = :oid AND d.deptype IN ('a', 'i') AND a.attname = :column
ORDER BY 1;

-- name: bound
SELECT format('is in the primary key %s', k.conname) AS why, 'give the table another key first' AS instead
FROM pg_constraint AS k JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)
WHERE k.conrelid = :oid AND k.contype = 'p' AND a.attname = :column
UNION ALL
SELECT format('is in the partition key of %s', p.partrelid::regclass), 'move the rows to a table with another key first'
FROM pg_partitioned_table AS p
WHERE p.partrelid IN (SELECT relid FROM pg_partition_tree(:oid)) AND (
    EXISTS (SELECT FROM pg_attribute AS a
            WHERE a.attrelid = p.partrelid AND a.attname = :column AND a.attnum = ANY (p.partattrs))
    OR EXISTS (
        SELECT FROM pg_depend AS d JOIN pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
        WHERE d.classid = 'pg_class'::regclass AND d.objid = p.partrelid AND d.objsubid = 0
          AND d.refobjid = p.partrelid AND a.attname = :column))
UNION ALL
SELECT format('is inherited from %s', (SELECT string_agg(i.inhparent::regclass::text, ', ')
       FROM pg_inherits AS i WHERE i.inhrelid = a.attrelid)), 'ask for the same of that table'
FROM pg_attribute AS a WHERE a.attrelid = :oid AND a.attname = :column AND a.attinhcount > 0
UNION ALL
SELECT format('is in the replica identity %s, without which a publication''s updates fail', i.relname),
       'give the table another REPLICA IDENTITY first'
FROM pg_index AS x JOIN pg_class AS i ON i.oid = x.indexrelid
JOIN pg_attribute AS a ON a.attrelid = x.indrelid AND a.attnum = ANY (x.indkey)
WHERE x.indrelid = :oid AND x.indisreplident AND a.attname = :column;

-- name: unique_alone
SELECT i.relname AS name FROM pg_index AS x JOIN pg_class AS i ON i.oid = x.indexrelid
JOIN pg_attribute AS a ON a.attrelid = x.indrelid AND a.attname = :column
WHERE x.indrelid = :oid AND x.indisunique AND x.indnkeyatts = 1 AND x.indkey[0] = a.attnum AND x.indpred IS NULL
ORDER BY 1;

-- name: checks_alone
SELECT k.conname AS name, pg_get_constraintdef(k.oid) AS definition FROM pg_constraint AS k
JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND k.conkey = ARRAY[a.attnum]
WHERE k.conrelid = :oid AND k.contype = 'c' AND a.attname = :column ORDER BY 1;

-- name: statistics
SELECT DISTINCT pg_get_statisticsobjdef(s.oid) AS statement
FROM pg_statistic_ext AS s JOIN pg_attribute AS a ON a.attrelid = s.stxrelid
JOIN pg_depend AS d ON d.classid = 'pg_statistic_ext'::regclass AND d.objid = s.oid
    AND d.refclassid = 'pg_class'::regclass AND d.refobjid = s.stxrelid AND d.refobjsubid = a.attnum
WHERE s.stxrelid = :oid AND a.attname = :column ORDER BY 1;

-- name: published
SELECT DISTINCT p.pubname AS name FROM pg_publication_tables AS p WHERE p.schemaname = :schema AND p.tablename = :name ORDER BY 1;

-- name: keys_out
SELECT k.conname AS name, pg_get_constraintdef(k.oid) AS definition, k.confrelid::regclass::text AS target,
       ARRAY(SELECT a.attname::text FROM unnest(k.conkey) AS n (attnum)
             JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = n.attnum) AS columns
FROM pg_constraint AS k WHERE k.conrelid = :oid AND k.contype = 'f' AND k.convalidated AND k.conparentid = 0 AND k.confrelid <> :oid
  AND NOT EXISTS (SELECT FROM pg_partitioned_table AS p WHERE p.partrelid = :oid) ORDER BY 1;

-- name: table_facts
SELECT c.relispartition AS partition, c.relkind = 'p' AS partitioned, c.relrowsecurity AS row_security,
       pg_get_userbyid(c.relowner) AS owner, c.relowner = current_user::regrole::oid AS owned,
       EXISTS (SELECT FROM pg_inherits AS i WHERE i.inhrelid = c.oid) AND NOT c.relispartition AS inherits,
       ARRAY(SELECT i.inhrelid::regclass::text FROM pg_inherits AS i JOIN pg_class AS k ON k.oid = i.inhrelid
             WHERE i.inhparent = c.oid AND NOT k.relispartition ORDER BY 1) AS children,
       ARRAY(SELECT t.tgname::text FROM pg_trigger AS t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal ORDER BY 1) AS triggers,
       obj_description(c.oid, 'pg_class') AS comment
FROM pg_class AS c WHERE c.oid = :oid;

-- name: table_grants
SELECT CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END AS grantee,
       g.privilege_type AS privilege, g.is_grantable AS grantable, NULL::text AS column_name
FROM pg_class AS c, aclexplode(c.relacl) AS g
WHERE c.oid = :oid AND g.grantee <> c.relowner AND g.privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE')
UNION ALL
SELECT CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END, g.privilege_type,
       g.is_grantable, a.attname
FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid, aclexplode(a.attacl) AS g
WHERE a.attrelid = :oid AND NOT a.attisdropped AND g.grantee <> c.relowner AND g.privilege_type IN ('SELECT', 'INSERT', 'UPDATE')
ORDER BY 4 NULLS FIRST, 1, 2;

-- name: source
WITH tree AS (
    SELECT p.relid AS oid, p.level, p.parentrelid AS parent FROM pg_partition_tree(:oid) AS p WHERE p.level > 0
    UNION ALL SELECT :oid, 0, NULL
)
SELECT 0 AS step, 0 AS level, s.oid::regclass::text AS name,
       format('CREATE SEQUENCE %s AS %s', s.oid::regclass, format_type(q.seqtypid, NULL)) AS statement
FROM pg_depend AS d JOIN pg_class AS s ON s.oid = d.objid AND s.relkind = 'S' JOIN pg_sequence AS q ON q.seqrelid = s.oid
WHERE d.classid = 'pg_class'::regclass AND d.refobjid = :oid AND d.deptype = 'a'
UNION ALL
SELECT 1, t.level, t.oid::regclass::text,
       CASE WHEN t.parent IS NULL THEN format('CREATE TABLE %I.%I (%s)', n.nspname, c.relname, (
           SELECT string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod))
               || CASE WHEN a.attcollation <> y.typcollation THEN ' COLLATE ' || a.attcollation::regcollation ELSE '' END
               || CASE WHEN a.attidentity = 'a' THEN ' GENERATED ALWAYS AS IDENTITY'
                       WHEN a.attidentity = 'd' THEN ' GENERATED BY DEFAULT AS IDENTITY'
                       WHEN a.attgenerated = 's' THEN format(' GENERATED ALWAYS AS (%s) STORED', pg_get_expr(e.adbin, e.adrelid))
                       WHEN a.attgenerated = 'v' THEN format(' GENERATED ALWAYS AS (%s) VIRTUAL', pg_get_expr(e.adbin, e.adrelid))
                       ELSE coalesce(' DEFAULT ' || pg_get_expr(e.adbin, e.adrelid), '') END
               || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END, ', ' ORDER BY a.attnum)
           FROM pg_attribute AS a JOIN pg_type AS y ON y.oid = a.atttypid
           LEFT JOIN pg_attrdef AS e ON e.adrelid = a.attrelid AND e.adnum = a.attnum
           WHERE a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped))
       ELSE format('CREATE TABLE %I.%I PARTITION OF %s %s', n.nspname, c.relname, t.parent::regclass,
           pg_get_expr(c.relpartbound, c.oid)) END
       || CASE c.relkind WHEN 'p' THEN ' PARTITION BY ' || pg_get_partkeydef(c.oid) ELSE '' END
FROM tree AS t JOIN pg_class AS c ON c.oid = t.oid JOIN pg_namespace AS n ON n.oid = c.relnamespace
UNION ALL
SELECT 2, 0, s.oid::regclass::text, format('ALTER SEQUENCE %s OWNED BY %s.%I', s.oid::regclass, d.refobjid::regclass, a.attname)
FROM pg_depend AS d JOIN pg_class AS s ON s.oid = d.objid AND s.relkind = 'S'
JOIN pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
WHERE d.classid = 'pg_class'::regclass AND d.refobjid = :oid AND d.deptype = 'a'
UNION ALL
SELECT CASE k.contype WHEN 'p' THEN 3 WHEN 'f' THEN 6 ELSE 4 END, 0, k.conname,
       format('ALTER TABLE %s ADD CONSTRAINT %I %s', k.conrelid::regclass, k.conname, pg_get_constraintdef(k.oid))
FROM pg_constraint AS k WHERE k.conrelid = :oid AND k.contype IN ('p', 'u', 'x', 'c', 'f') AND k.conparentid = 0
UNION ALL
SELECT 5, 0, i.relname, replace(pg_get_indexdef(i.oid), ' ON ONLY ', ' ON ')
FROM pg_index AS x JOIN pg_class AS i ON i.oid = x.indexrelid
WHERE x.indrelid = :oid AND NOT EXISTS (SELECT FROM pg_constraint AS k WHERE k.conindid = x.indexrelid AND k.conrelid = :oid)
UNION ALL
SELECT 7, 0, '', format('COMMENT ON TABLE %s IS %L', cast(:oid AS regclass), obj_description(:oid, 'pg_class'))
WHERE obj_description(:oid, 'pg_class') IS NOT NULL
ORDER BY 1, 2, 3;
