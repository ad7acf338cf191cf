-- name: key
SELECT a.attname::text
FROM pg_index AS x CROSS JOIN LATERAL unnest(x.indkey) WITH ORDINALITY AS k (attnum, place)
JOIN pg_attribute AS a ON a.attrelid = x.indrelid AND a.attnum = k.attnum
WHERE x.indrelid = %(relation)s AND x.indisprimary AND k.place <= x.indnkeyatts ORDER BY k.place;

-- name: types
SELECT a.attname::text, format_type(a.atttypid, a.atttypmod)
FROM pg_attribute AS a WHERE a.attrelid = %(relation)s AND a.attname = ANY (%(columns)s) AND NOT a.attisdropped;
