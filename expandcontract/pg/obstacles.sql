-- What stands in the way of a column's change. Each row: what it is, and what to do about it.

-- name: always
SELECT format('%I.%I is a partition of %s', n.nspname, c.relname, i.inhparent::regclass) AS what,
       format('change %s, which takes its partitions along', i.inhparent::regclass) AS fix
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace JOIN pg_inherits AS i ON i.inhrelid = c.oid
WHERE c.oid = :oid AND c.relispartition
UNION ALL
SELECT format('%s inherits from %s, and the triggers of one do not fire for the other', i.inhrelid::regclass, i.inhparent::regclass),
       'ALTER TABLE … NO INHERIT first, or make it a partitioned table'
FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
WHERE :oid IN (i.inhrelid, i.inhparent) AND NOT c.relispartition AND c.relkind IN ('r', 'f')
UNION ALL
SELECT format('%s is a typed table, whose columns are those of type %s', c.oid::regclass, format_type(c.reloftype, NULL)),
       'ALTER TABLE … NOT OF first'
FROM pg_class AS c WHERE c.oid = :oid AND c.reloftype <> 0
UNION ALL
SELECT format('%I is in the partition key of %s', a.attname, p.partrelid::regclass),
       'a partition key cannot change; copy the rows into a table partitioned by the new one'
FROM pg_partitioned_table AS p JOIN pg_attribute AS a ON a.attrelid = p.partrelid AND a.attname = ANY (:columns)
WHERE p.partrelid = :oid AND (a.attnum = ANY (p.partattrs::smallint[]) OR EXISTS (
    SELECT FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass AND d.objid = :oid AND d.refobjid = :oid
    AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid = a.attnum AND d.objsubid = 0 AND d.deptype IN ('i', 'n')))
UNION ALL
SELECT format('the generated column %I reads %I', g.attname, a.attname),
       format('drop %I first, and add it again over the new column', g.attname)
FROM pg_attribute AS a
JOIN pg_depend AS d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = a.attrelid AND d.refobjsubid = a.attnum
LEFT JOIN pg_attrdef AS e ON d.classid = 'pg_attrdef'::regclass AND e.oid = d.objid
JOIN pg_attribute AS g ON g.attrelid = :oid AND g.attgenerated <> ''
    AND g.attnum = coalesce(e.adnum, CASE WHEN d.classid = 'pg_class'::regclass AND d.objid = :oid THEN d.objsubid END)
WHERE a.attrelid = :oid AND a.attname = ANY (:columns) AND g.attnum <> a.attnum
ORDER BY 1;

-- name: replacing
SELECT format('%I is %s, and gives itself its value', a.attname,
           CASE WHEN a.attgenerated <> '' THEN 'generated' WHEN a.attidentity <> '' THEN 'an identity' ELSE 'serial' END) AS what,
       'a second column would give itself others; see widen-primary-key for keys' AS fix
FROM pg_attribute AS a LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = :oid AND a.attname = ANY (:columns)
  AND (a.attgenerated <> '' OR a.attidentity <> '' OR pg_get_expr(d.adbin, d.adrelid) LIKE '%nextval(%')
UNION ALL
SELECT format('%I is in the %s %I', a.attname,
           CASE c.contype WHEN 'p' THEN 'primary key' ELSE 'exclusion constraint' END, c.conname),
       CASE c.contype WHEN 'p' THEN 'an int key grows with: ec new widen-primary-key' ELSE 'drop the constraint first' END
FROM pg_constraint AS c JOIN pg_index AS x ON x.indexrelid = c.conindid
JOIN pg_attribute AS a ON a.attrelid = :oid AND a.attnum = ANY (x.indkey::smallint[]) AND a.attname = ANY (:columns)
WHERE c.conrelid = :oid AND c.contype IN ('p', 'x')
UNION ALL
SELECT format('index %I, the replica identity of %s, has %I', i.relname, x.indrelid::regclass, a.attname),
       format('ALTER TABLE %s REPLICA IDENTITY DEFAULT, or FULL, first: subscribers would lose their updates', x.indrelid::regclass)
FROM pg_index AS x JOIN pg_class AS i ON i.oid = x.indexrelid
JOIN pg_attribute AS a ON a.attrelid = :oid AND a.attnum = ANY (x.indkey::smallint[]) AND a.attname = ANY (:columns)
WHERE x.indrelid = :oid AND x.indisreplident AND NOT x.indisprimary
ORDER BY 1;

-- name: bound
SELECT DISTINCT regexp_replace(pg_describe_object(d.classid, d.objid, 0), '^rule _RETURN on ', '') AS what,
       CASE d.classid WHEN 'pg_publication_rel'::regclass THEN 'ALTER PUBLICATION … SET TABLE … with the new column'
           WHEN 'pg_policy'::regclass THEN 'create the policy anew over the new column'
           WHEN 'pg_trigger'::regclass THEN 'create the trigger anew over the new column'
           ELSE 'create it anew over the new column' END AS fix
FROM pg_depend AS d
JOIN pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
LEFT JOIN pg_rewrite AS r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
LEFT JOIN pg_class AS v ON v.oid = r.ev_class
LEFT JOIN pg_trigger AS g ON d.classid = 'pg_trigger'::regclass AND g.oid = d.objid
WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = :oid AND a.attname = ANY (:columns)
  AND d.classid IN ('pg_rewrite'::regclass, 'pg_policy'::regclass, 'pg_trigger'::regclass, 'pg_publication_rel'::regclass)
  AND (v.oid IS NULL OR v.relnamespace <> 'expandcontract'::regnamespace)
  AND (g.oid IS NULL OR (NOT g.tgisinternal AND g.tgname NOT LIKE 'zz\_expandcontract\_%'))
ORDER BY 1;
