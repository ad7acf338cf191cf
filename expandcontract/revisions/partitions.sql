-- name: children
SELECT n.nspname AS schema, c.relname AS name, c.relkind = 'p' AS partitioned
FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE i.inhparent = to_regclass(%(relation)s) ORDER BY c.oid;

-- name: attached
SELECT EXISTS (SELECT FROM pg_inherits AS i
    WHERE i.inhparent = to_regclass(%(whole)s) AND i.inhrelid = to_regclass(%(part)s));
