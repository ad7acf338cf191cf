-- name: table
SELECT c.oid::bigint AS oid, n.nspname AS schema, c.relname AS name, c.relkind::text AS kind
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relname = %(name)s;

-- name: leaves
SELECT c.oid::bigint AS oid, n.nspname AS schema, c.relname AS name, c.relkind::text AS kind,
       pg_get_partition_constraintdef(c.oid) AS bound
FROM pg_partition_tree(%(oid)s::oid) AS t JOIN pg_class AS c ON c.oid = t.relid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE t.isleaf ORDER BY c.oid;

-- name: bound
SELECT pg_get_partition_constraintdef(%(oid)s::oid) AS bound;

-- name: columns
SELECT a.attname AS name, a.atttypid::bigint AS type, a.atttypmod AS modifier, a.attnotnull AS not_null,
       a.attidentity::text AS identity, CASE WHEN a.attgenerated <> '' THEN pg_get_expr(d.adbin, d.adrelid) END AS generated,
       CASE WHEN a.attgenerated = '' THEN pg_get_expr(d.adbin, d.adrelid) END AS default_sql,
       pg_get_serial_sequence(format('%%I.%%I', n.nspname, c.relname), a.attname) AS sequence
FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = %(oid)s::oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum;

-- name: checks
SELECT c.conname AS name, pg_get_expr(c.conbin, c.conrelid) AS predicate,
       ARRAY(SELECT a.attname::text FROM pg_attribute AS a WHERE a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey)) AS columns
FROM pg_constraint AS c WHERE c.conrelid = %(oid)s::oid AND c.contype = 'c' ORDER BY c.conname;

-- name: keys
SELECT c.conname AS name, n.nspname AS schema, p.relname AS target,
       ARRAY(SELECT a.attname::text FROM unnest(c.conkey) WITH ORDINALITY AS k (num, at)
             JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = k.num ORDER BY k.at) AS columns,
       ARRAY(SELECT a.attname::text FROM unnest(c.confkey) WITH ORDINALITY AS k (num, at)
             JOIN pg_attribute AS a ON a.attrelid = c.confrelid AND a.attnum = k.num ORDER BY k.at) AS target_columns
FROM pg_constraint AS c JOIN pg_class AS p ON p.oid = c.confrelid JOIN pg_namespace AS n ON n.oid = p.relnamespace
WHERE c.conrelid = %(oid)s::oid AND c.contype = 'f'
  AND NOT EXISTS (SELECT FROM pg_constraint AS o WHERE o.oid = c.conparentid AND o.conrelid = c.conrelid)
ORDER BY c.conname;

-- name: unique
SELECT DISTINCT a.attname AS name FROM pg_index AS i JOIN pg_attribute AS a ON a.attrelid = i.indrelid
WHERE i.indrelid = %(oid)s::oid AND i.indisunique AND a.attnum = ANY (i.indkey);

-- name: type
SELECT t.typname AS name, n.nspname AS schema, t.typtype::text AS kind, t.typcategory::text AS category,
       t.typelem::bigint AS element, t.typbasetype::bigint AS base, t.typnotnull AS required, t.typtypmod AS base_modifier,
       t.typrelid::bigint AS relation, format_type(t.oid, %(modifier)s) AS spelled,
       coalesce(r.rngsubtype, 0)::bigint AS subtype,
       coalesce((SELECT m.rngtypid FROM pg_range AS m WHERE m.rngmultitypid = t.oid), 0)::bigint AS of_ranges
FROM pg_type AS t JOIN pg_namespace AS n ON n.oid = t.typnamespace LEFT JOIN pg_range AS r ON r.rngtypid = t.oid
WHERE t.oid = %(oid)s::oid;

-- name: fields
SELECT a.atttypid::bigint AS type, a.atttypmod AS modifier FROM pg_attribute AS a
WHERE a.attrelid = %(oid)s::oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum;

-- name: domain
SELECT pg_get_constraintdef(c.oid) AS said FROM pg_constraint AS c WHERE c.contypid = %(oid)s::oid;
