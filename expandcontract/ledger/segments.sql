-- name: add
INSERT INTO expandcontract.segment (change, relation, filenode, first_page, end_page, cursor_page)
VALUES (%(change)s, %(relation)s, %(filenode)s, 0, %(end_page)s, 0) ON CONFLICT DO NOTHING;

-- name: forget_moved
DELETE FROM expandcontract.segment WHERE change = %(change)s AND relation = %(relation)s AND filenode <> %(filenode)s;

-- name: extend
UPDATE expandcontract.segment SET end_page = greatest(end_page, %(end_page)s)
WHERE change = %(change)s AND relation = %(relation)s AND done_at IS NULL;

-- name: open
SELECT relation::bigint, filenode::bigint, first_page, end_page, cursor_page, cursor_stripe, rows_filled
FROM expandcontract.segment WHERE change = %(change)s AND done_at IS NULL ORDER BY relation, first_page;

-- name: totals
SELECT coalesce(sum(end_page - first_page), 0), coalesce(sum(cursor_page - first_page), 0), coalesce(sum(rows_filled), 0)
FROM expandcontract.segment WHERE change = %(change)s;

-- name: advance
UPDATE expandcontract.segment
SET cursor_page = %(page)s, cursor_stripe = %(stripe)s, rows_filled = rows_filled + %(rows)s
WHERE change = %(change)s AND relation = %(relation)s AND first_page = %(first_page)s
  AND cursor_page = %(was_page)s AND cursor_stripe = %(was_stripe)s AND done_at IS NULL;

-- name: done
UPDATE expandcontract.segment SET done_at = clock_timestamp()
WHERE change = %(change)s AND relation = %(relation)s AND first_page = %(first_page)s AND done_at IS NULL;

-- name: fence
SELECT 1 FROM expandcontract.installation WHERE epoch = %(epoch)s FOR SHARE;
