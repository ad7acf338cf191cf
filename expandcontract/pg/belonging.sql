-- name: foreign_keys
SELECT c.conname AS name, n.nspname AS schema, r.relname AS table, c.convalidated AS validated,
       rn.nspname AS ref_schema, rr.relname AS ref_table,
       ARRAY(SELECT k.attname::text FROM unnest(c.conkey) WITH ORDINALITY AS u (attnum, place)
             JOIN pg_attribute AS k ON k.attrelid = c.conrelid AND k.attnum = u.attnum ORDER BY place) AS columns,
       ARRAY(SELECT k.attname::text FROM unnest(c.confkey) WITH ORDINALITY AS u (attnum, place)
             JOIN pg_attribute AS k ON k.attrelid = c.confrelid AND k.attnum = u.attnum ORDER BY place) AS ref_columns,
       c.confmatchtype::text AS match, c.confupdtype::text AS on_update, c.confdeltype::text AS on_delete,
       ARRAY(SELECT k.attname::text
             FROM jsonb_array_elements_text(coalesce(nullif(to_jsonb(c) -> 'confdelsetcols', 'null'), '[]'))
                 WITH ORDINALITY AS u (attnum, place)
             JOIN pg_attribute AS k ON k.attrelid = c.conrelid AND k.attnum = u.attnum::smallint ORDER BY place) AS on_delete_columns,
       c.condeferrable AS deferrable, c.condeferred AS deferred
FROM pg_constraint AS c
JOIN pg_class AS r ON r.oid = c.conrelid JOIN pg_namespace AS n ON n.oid = r.relnamespace
JOIN pg_class AS rr ON rr.oid = c.confrelid JOIN pg_namespace AS rn ON rn.oid = rr.relnamespace
JOIN pg_attribute AS a ON a.attrelid = :oid AND a.attname = :column AND NOT a.attisdropped
WHERE c.contype = 'f' AND c.conparentid = 0
  AND ((c.conrelid = :oid AND a.attnum = ANY (c.conkey)) OR (c.confrelid = :oid AND a.attnum = ANY (c.confkey)))
ORDER BY c.conname, n.nspname, r.relname;

-- name: indexes
SELECT i.relname AS name,
       substr(pg_get_indexdef(x.indexrelid), length(format('CREATE %sINDEX %I ON %s%I.%I USING ',
           CASE WHEN x.indisunique THEN 'UNIQUE ' END, i.relname, CASE WHEN c.relkind = 'p' THEN 'ONLY ' END,
           CASE WHEN c.relpersistence = 't' THEN 'pg_temp' ELSE n.nspname END, c.relname)) + 1) AS tail
FROM pg_index AS x JOIN pg_class AS i ON i.oid = x.indexrelid JOIN pg_class AS c ON c.oid = x.indrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE x.indrelid = cast(:table AS regclass) ORDER BY x.indexrelid;

-- name: checks
SELECT conname AS name, pg_get_expr(conbin, conrelid) AS expression, convalidated AS validated,
       coalesce((to_jsonb(c) ->> 'conenforced')::boolean, true) AS enforced, connoinherit AS alone
FROM pg_constraint AS c WHERE conrelid = cast(:table AS regclass) AND contype = 'c' ORDER BY conname;

-- name: taken
SELECT relname::text AS name FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname = :schema
UNION
SELECT conname::text FROM pg_constraint AS c JOIN pg_namespace AS n ON n.oid = c.connamespace WHERE n.nspname = :schema;

-- name: statistics
SELECT format('%I.%I', n.nspname, s.stxname) AS name
FROM pg_statistic_ext AS s JOIN pg_namespace AS n ON n.oid = s.stxnamespace
JOIN pg_attribute AS a ON a.attrelid = s.stxrelid AND a.attname = :column
WHERE s.stxrelid = :oid AND EXISTS (
    SELECT FROM pg_depend AS d WHERE d.classid = 'pg_statistic_ext'::regclass AND d.objid = s.oid
    AND d.refclassid = 'pg_class'::regclass AND d.refobjid = s.stxrelid AND d.refobjsubid = a.attnum)
ORDER BY 1;
