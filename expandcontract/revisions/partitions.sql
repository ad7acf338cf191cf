-- name: index
SELECT i.oid FROM pg_index AS x JOIN pg_class AS i ON i.oid = x.indexrelid JOIN pg_namespace AS n ON n.oid = i.relnamespace
WHERE n.nspname = :schema AND i.relname = :name
  AND x.indrelid = to_regclass(format('%I.%I', cast(:schema AS text), cast(:table AS text)));

-- name: unattached
WITH RECURSIVE tree AS (
    SELECT x.indexrelid AS index, x.indrelid AS relation FROM pg_index AS x WHERE x.indexrelid = cast(:index AS oid)
    UNION ALL
    SELECT x.indexrelid, x.indrelid FROM tree JOIN pg_inherits AS h ON h.inhparent = tree.index
    JOIN pg_index AS x ON x.indexrelid = h.inhrelid
)
SELECT above.nspname AS parent_schema, parent.relname AS parent, n.nspname AS schema, c.relname AS name,
       c.relkind = 'p' AS partitioned, mine.oid, mine.name AS candidate, mine.valid
FROM tree JOIN pg_class AS parent ON parent.oid = tree.index JOIN pg_namespace AS above ON above.oid = parent.relnamespace
JOIN pg_index AS x ON x.indexrelid = tree.index
JOIN pg_inherits AS h ON h.inhparent = tree.relation JOIN pg_class AS c ON c.oid = h.inhrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN LATERAL (
    SELECT i.oid, i.relname AS name, y.indisvalid AS valid FROM pg_index AS y JOIN pg_class AS i ON i.oid = y.indexrelid
    WHERE y.indrelid = c.oid AND y.indisunique = x.indisunique
      AND NOT EXISTS (SELECT FROM pg_inherits AS taken WHERE taken.inhrelid = y.indexrelid)
      AND NOT EXISTS (SELECT FROM pg_constraint AS k WHERE k.conindid = y.indexrelid AND k.contype IN ('p', 'u', 'x'))
      AND split_part(pg_get_indexdef(y.indexrelid), ' USING ', 2) = split_part(pg_get_indexdef(x.indexrelid), ' USING ', 2)
    ORDER BY y.indisvalid DESC, y.indexrelid LIMIT 1
) AS mine ON true
WHERE c.relkind IN ('r', 'p') AND NOT EXISTS (SELECT FROM tree AS other WHERE other.relation = c.oid)
ORDER BY n.nspname, c.relname LIMIT 1;

-- name: columns
SELECT a.attname FROM pg_attribute AS a WHERE a.attrelid = cast(:index AS oid) ORDER BY a.attnum;

-- name: taken
SELECT EXISTS (SELECT FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = :schema AND c.relname = :name);

-- name: probe
SELECT CAST('pg_temp.expandcontract_probe_idx' AS regclass)::oid::bigint;

-- name: tree
WITH RECURSIVE tree AS (
    SELECT h.inhparent AS parent, h.inhrelid AS relation FROM pg_inherits AS h
    WHERE h.inhparent = to_regclass(format('%I.%I', cast(:schema AS text), cast(:table AS text)))
    UNION ALL
    SELECT h.inhparent, h.inhrelid FROM tree JOIN pg_inherits AS h ON h.inhparent = tree.relation
)
SELECT tree.parent::bigint AS parent, c.oid::bigint AS oid, n.nspname AS schema, c.relname AS name,
       c.relkind = 'p' AS partitioned, mine.name AS candidate
FROM tree JOIN pg_class AS c ON c.oid = tree.relation JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_index AS x ON x.indexrelid = cast(:index AS oid)
LEFT JOIN LATERAL (
    SELECT i.relname AS name FROM pg_index AS y JOIN pg_class AS i ON i.oid = y.indexrelid
    WHERE y.indrelid = c.oid AND y.indisunique = x.indisunique AND y.indisvalid
      AND NOT EXISTS (SELECT FROM pg_inherits AS taken WHERE taken.inhrelid = y.indexrelid)
      AND NOT EXISTS (SELECT FROM pg_constraint AS k WHERE k.conindid = y.indexrelid AND k.contype IN ('p', 'u', 'x'))
      AND split_part(pg_get_indexdef(y.indexrelid), ' USING ', 2) = split_part(pg_get_indexdef(x.indexrelid), ' USING ', 2)
    ORDER BY y.indexrelid LIMIT 1
) AS mine ON true
WHERE c.relkind IN ('r', 'p') ORDER BY n.nspname, c.relname;
