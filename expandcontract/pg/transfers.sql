-- name: facts
SELECT c.relrowsecurity AS policies,
       EXISTS (SELECT FROM pg_index AS x WHERE x.indrelid = c.oid AND x.indisunique AND x.indisvalid AND x.indimmediate
           AND x.indpred IS NULL AND x.indexprs IS NULL AND (
               SELECT array_agg(a.attname::text) FROM pg_attribute AS a WHERE a.attrelid = c.oid
               AND a.attnum = ANY ((x.indkey::smallint[])[0:x.indnkeyatts - 1])) <@ CAST(:key AS text[])) AS unique
FROM pg_class AS c WHERE c.oid = :oid;

-- name: refers
SELECT EXISTS (
    SELECT FROM pg_constraint AS c WHERE c.contype = 'f' AND c.conrelid = :oid AND c.confrelid = :other
    AND ARRAY(SELECT a.attname::text FROM unnest(c.conkey) WITH ORDINALITY AS k (n, place)
              JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = k.n ORDER BY place)
        <@ CAST(:key AS text[])) AS refers;

-- name: writers
SELECT DISTINCT coalesce(r.rolname::text, 'public') AS role FROM (
    SELECT (aclexplode(coalesce(c.relacl, acldefault('r', c.relowner)))).* FROM pg_class AS c WHERE c.oid = :oid
    UNION ALL
    SELECT (aclexplode(a.attacl)).* FROM pg_attribute AS a
    WHERE a.attrelid = :oid AND a.attnum > 0 AND NOT a.attisdropped
) AS g LEFT JOIN pg_roles AS r ON r.oid = g.grantee
WHERE g.privilege_type IN ('INSERT', 'UPDATE', 'DELETE') ORDER BY 1;

-- name: lacking
SELECT CASE WHEN has_schema_privilege(:role, c.relnamespace, 'USAGE') THEN '' ELSE n.nspname END AS schema,
       ARRAY(SELECT u FROM unnest(CAST(:read AS text[])) AS u WHERE CASE WHEN EXISTS (
           SELECT FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attname = u)
           THEN NOT has_column_privilege(:role, c.oid, u, 'SELECT') ELSE NOT has_table_privilege(:role, c.oid, 'SELECT') END
       ) AS read,
       ARRAY(SELECT u FROM unnest(CAST(:written AS text[])) AS u WHERE CASE WHEN EXISTS (
           SELECT FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attname = u)
           THEN NOT has_column_privilege(:role, c.oid, u, 'UPDATE') ELSE NOT has_table_privilege(:role, c.oid, 'UPDATE') END
       ) AS written,
       ARRAY(SELECT u FROM unnest(CAST(:inserted AS text[])) AS u
             WHERE NOT has_column_privilege(:role, c.oid, u, 'INSERT')) AS inserted
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = :oid;

-- name: required
SELECT coalesce(array_agg(a.attname::text ORDER BY a.attnum), '{}') AS columns FROM pg_attribute AS a
WHERE a.attrelid = :oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attnotnull AND NOT a.atthasdef
  AND a.attidentity = '' AND a.attname <> ALL (CAST(:key AS text[]));
