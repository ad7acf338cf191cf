-- name: key
SELECT a.attname::text, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attcollation <> 0
FROM pg_attribute AS a
CROSS JOIN LATERAL (
    SELECT w.place FROM unnest(%(wanted)s::text[]) WITH ORDINALITY AS w (name, place) WHERE w.name = a.attname
    UNION ALL
    SELECT k.place FROM pg_index AS x CROSS JOIN LATERAL unnest(x.indkey) WITH ORDINALITY AS k (attnum, place)
    WHERE cardinality(%(wanted)s::text[]) = 0 AND x.indrelid = a.attrelid AND x.indisprimary
      AND k.attnum = a.attnum AND k.place <= x.indnkeyatts
) AS listed
WHERE a.attrelid = %(relation)s AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY listed.place;

-- name: stored
SELECT k.columns, k.types, (SELECT count(*) FROM expandcontract.slice AS s WHERE s.change = k.change AND s.relation = k.relation)
FROM expandcontract.keyset AS k WHERE k.change = %(change)s AND k.relation = %(relation)s;

-- name: begin
INSERT INTO expandcontract.keyset (change, relation, columns, types)
VALUES (%(change)s, %(relation)s, %(columns)s, %(types)s);

-- name: bounds
SELECT (SELECT low FROM expandcontract.slice WHERE change = %(change)s AND relation = %(relation)s AND number = %(first)s),
       (SELECT low FROM expandcontract.slice WHERE change = %(change)s AND relation = %(relation)s AND number = %(end)s);
