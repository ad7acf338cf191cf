-- name: forget_moved
DELETE FROM expandcontract.segment WHERE change = %(change)s AND relation = %(relation)s AND filenode <> %(filenode)s;

-- name: covered
SELECT coalesce(max(end_page), 0) FROM expandcontract.segment WHERE change = %(change)s AND relation = %(relation)s;

-- name: cover
INSERT INTO expandcontract.segment (change, relation, filenode, first_page, end_page, cursor_page)
SELECT %(change)s, %(relation)s, %(filenode)s, first, last, first
FROM unnest(%(firsts)s::bigint[], %(ends)s::bigint[]) AS pages (first, last)
ON CONFLICT DO NOTHING;

-- name: begin
INSERT INTO expandcontract.backfill (change) VALUES (%(change)s) ON CONFLICT DO NOTHING;

-- name: claim
UPDATE expandcontract.segment AS s
SET worker = %(worker)s, backend_pid = pg_backend_pid(), claim = s.claim + 1, lease_until = clock_timestamp() + %(lease)s
FROM (
    -- a row that is locked belongs to a worker in the middle of a batch, whatever its lease says
    SELECT ctid FROM expandcontract.segment
    WHERE change = %(change)s AND relation = ANY (%(relations)s) AND done_at IS NULL
      AND (worker IS NULL OR lease_until < clock_timestamp()
           OR NOT EXISTS (SELECT FROM pg_stat_activity AS a WHERE a.pid = backend_pid))
    ORDER BY relation, first_page LIMIT 1 FOR UPDATE SKIP LOCKED
) AS free
WHERE s.ctid = free.ctid
RETURNING relation::bigint, first_page, end_page, cursor_page, cursor_stripe, window_end, stripes, pass_page, claim;

-- name: enter
SELECT set_config('expandcontract.backfill', 'on', true), set_config('row_security', 'off', true),
       set_config('lock_timeout', '200ms', true), set_config('statement_timeout', %(statement_timeout)s, true),
       expandcontract.durable();

-- name: hold
SELECT 1 FROM expandcontract.segment
WHERE change = %(change)s AND relation = %(relation)s AND first_page = %(first_page)s AND claim = %(claim)s
  AND worker = %(worker)s AND done_at IS NULL
FOR UPDATE;

-- name: advance
UPDATE expandcontract.segment
SET cursor_page = %(page)s, cursor_stripe = %(stripe)s, window_end = %(window_end)s, stripes = %(stripes)s,
    pass_page = %(pass_page)s, rows_filled = rows_filled + %(rows)s,
    lease_until = clock_timestamp() + %(lease)s
WHERE change = %(change)s AND relation = %(relation)s AND first_page = %(first_page)s AND claim = %(claim)s
  AND done_at IS NULL;

-- name: renew
UPDATE expandcontract.segment SET lease_until = clock_timestamp() + %(lease)s
WHERE change = %(change)s AND relation = %(relation)s AND first_page = %(first_page)s AND claim = %(claim)s
  AND worker = %(worker)s AND done_at IS NULL;

-- name: done
UPDATE expandcontract.segment SET done_at = clock_timestamp(), worker = NULL, lease_until = NULL
WHERE change = %(change)s AND relation = %(relation)s AND first_page = %(first_page)s AND claim = %(claim)s
  AND done_at IS NULL;

-- name: release
UPDATE expandcontract.segment SET worker = NULL, lease_until = NULL
WHERE change = %(change)s AND relation = %(relation)s AND first_page = %(first_page)s AND claim = %(claim)s
  AND done_at IS NULL;

-- name: fence
SELECT 1 FROM expandcontract.installation WHERE epoch = %(epoch)s FOR SHARE;

-- name: totals
SELECT coalesce(sum(end_page - first_page), 0), coalesce(sum(rows_filled), 0), count(*) FILTER (WHERE done_at IS NULL),
       coalesce(sum(CASE WHEN done_at IS NOT NULL THEN end_page - first_page
           WHEN window_end IS NULL THEN cursor_page - first_page
           ELSE cursor_page - first_page + (window_end - cursor_page)
               * (cursor_stripe + (pass_page - cursor_page)::numeric / (window_end - cursor_page)) / stripes END), 0)::float8
FROM expandcontract.segment WHERE change = %(change)s AND relation = ANY (%(relations)s);

-- name: control
SELECT paused_at IS NOT NULL, 'by ' || coalesce(paused_by, 'somebody') || coalesce(': ' || paused_why, ''), workers, target FROM expandcontract.backfill WHERE change = %(change)s;

-- name: workers
SELECT worker, count(*) FROM expandcontract.segment
WHERE change = %(change)s AND worker IS NOT NULL AND lease_until >= clock_timestamp() GROUP BY worker ORDER BY worker;
