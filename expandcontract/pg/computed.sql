-- name: columns
-- a type without its length: an explicit cast to varchar(5) would cut a value off, where an assignment refuses it
SELECT a.attname AS name, format_type(a.atttypid, -1) AS type,
       coalesce(nullif(t.typbasetype, 0), t.oid) IN ('json'::regtype, 'jsonb'::regtype) AS is_json
FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid
WHERE a.attrelid = :oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum;

-- name: key
SELECT a.attname AS name
FROM pg_index AS i CROSS JOIN unnest(i.indkey) WITH ORDINALITY AS k (attnum, place)
JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
WHERE i.indrelid = :oid AND i.indisprimary AND k.place <= i.indnkeyatts ORDER BY k.place;
