-- name: bound
SELECT DISTINCT regexp_replace(pg_describe_object(d.classid, d.objid, d.objsubid), '^rule _RETURN on ', '') AS what
FROM pg_depend AS d
JOIN pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
LEFT JOIN pg_rewrite AS r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
LEFT JOIN pg_class AS v ON v.oid = r.ev_class
LEFT JOIN pg_trigger AS g ON d.classid = 'pg_trigger'::regclass AND g.oid = d.objid
LEFT JOIN pg_attrdef AS f ON d.classid = 'pg_attrdef'::regclass AND f.oid = d.objid
WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = :oid AND a.attname = :column
  AND (d.classid IN ('pg_rewrite'::regclass, 'pg_policy'::regclass, 'pg_publication_rel'::regclass, 'pg_proc'::regclass)
       OR (g.oid IS NOT NULL AND NOT g.tgisinternal AND g.tgname NOT LIKE 'zz\_expandcontract\_%')
       OR (f.oid IS NOT NULL AND f.adnum <> a.attnum))
  AND v.relnamespace IS DISTINCT FROM to_regnamespace('expandcontract')
UNION
SELECT format('the partition key of %s', t.partrelid::regclass)
FROM pg_partitioned_table AS t JOIN pg_attribute AS a ON a.attrelid = t.partrelid AND a.attname = :column
WHERE t.partrelid = :oid AND a.attnum = ANY (t.partattrs)
UNION
SELECT format('index %I, the replica identity of %s,', i.relname, x.indrelid::regclass)
FROM pg_index AS x JOIN pg_class AS i ON i.oid = x.indexrelid
JOIN pg_attribute AS a ON a.attrelid = :oid AND a.attnum = ANY (x.indkey::smallint[]) AND a.attname = :column
WHERE x.indrelid = :oid AND x.indisreplident AND NOT x.indisprimary
UNION
SELECT format('table %s, which inherits from %s', i.inhrelid::regclass, i.inhparent::regclass)
FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
WHERE (i.inhparent = :oid OR i.inhrelid = :oid) AND NOT (c.relispartition AND i.inhparent = :oid)
ORDER BY 1;

-- name: headroom
SELECT s.seqrelid::regclass::text AS sequence, q.last_value,
       CASE a.atttypid WHEN 'smallint'::regtype THEN 32767 WHEN 'integer'::regtype THEN 2147483647
           ELSE 9223372036854775807 END AS limit
FROM pg_attribute AS a
JOIN pg_class AS c ON c.oid = a.attrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_sequence AS s ON s.seqrelid = to_regclass(pg_get_serial_sequence(format('%I.%I', n.nspname, c.relname), a.attname))
JOIN pg_class AS sc ON sc.oid = s.seqrelid JOIN pg_namespace AS sn ON sn.oid = sc.relnamespace
JOIN pg_sequences AS q ON q.schemaname = sn.nspname AND q.sequencename = sc.relname
WHERE a.attrelid = :oid AND a.attname = :column AND s.seqincrement > 0;

-- name: sessions
SELECT format('%s of %s (%s), backends %s', CASE count(*) WHEN 1 THEN 'a session' ELSE count(*) || ' sessions' END,
    usename, coalesce(nullif(application_name, ''), 'no name'),
    array_to_string((array_agg(pid ORDER BY backend_start))[1:5], ', ') || CASE WHEN count(*) > 5 THEN ' …' ELSE '' END)
FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
  AND application_name NOT LIKE 'ec %'
GROUP BY usename, application_name ORDER BY count(*) DESC;

-- name: serial
SELECT s.seqtypid = a.atttypid AS typed
FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_sequence AS s ON s.seqrelid = to_regclass(pg_get_serial_sequence(format('%I.%I', n.nspname, c.relname), a.attname))
WHERE a.attrelid = :oid AND a.attname = :column;
