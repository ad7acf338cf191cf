-- name: installation
SELECT id, version, development, epoch, holder_pid, holder, held_since FROM expandcontract.installation;

-- name: now
SELECT clock_timestamp();

-- name: changes
SELECT name, phase, move, move_since, move_version, move_arguments, kind, shape, expand_revision, contract_revision,
       window_length, window_opened_at, by_database, before_dual, before_cut_over, contracted_at, straight
FROM expandcontract.change ORDER BY planned_at, name;

-- name: plan_change
INSERT INTO expandcontract.change (name, kind, shape) VALUES (:name, :kind, cast(:shape AS jsonb))
ON CONFLICT (name) DO UPDATE SET kind = excluded.kind, shape = excluded.shape WHERE change.phase = 'planned' AND change.move IS NULL;

-- name: begin
UPDATE expandcontract.change
SET move = :move, move_since = clock_timestamp(), move_version = :version, move_arguments = cast(:arguments AS jsonb)
WHERE name = :name AND phase = :phase AND move IS NULL;

-- name: finish
UPDATE expandcontract.change
SET phase = :to, move = NULL, move_since = NULL, move_version = NULL, move_arguments = NULL
WHERE name = :name AND phase = :phase AND move = :move;

-- name: take_back
UPDATE expandcontract.change SET move = NULL, move_since = NULL, move_version = NULL, move_arguments = NULL
WHERE name = :name AND move = :move;

-- name: set_by_database
UPDATE expandcontract.change SET by_database = :value WHERE name = :name;

-- name: set_before_dual
UPDATE expandcontract.change SET before_dual = cast(:value AS jsonb) WHERE name = :name;

-- name: set_before_cut_over
UPDATE expandcontract.change SET before_cut_over = cast(:value AS jsonb) WHERE name = :name;

-- name: open_window
UPDATE expandcontract.change
SET window_opened_at = clock_timestamp(), window_length = coalesce(window_length, :length) WHERE name = :name;

-- name: close_window
UPDATE expandcontract.change SET window_opened_at = NULL WHERE name = :name;

-- name: set_window
UPDATE expandcontract.change SET window_length = :length
WHERE name = :name AND (window_opened_at IS NULL OR coalesce(window_length, interval '0') <= :length);

-- name: set_contract_revision
UPDATE expandcontract.change SET contract_revision = :revision
WHERE name = :name AND phase <> 'contracted' AND contract_revision IS DISTINCT FROM :revision;

-- name: forget_segments
WITH forgotten AS (DELETE FROM expandcontract.segment WHERE change = :name),
     uncounted AS (DELETE FROM expandcontract.throttle WHERE change = :name),
     whole AS (DELETE FROM expandcontract.keyset WHERE change = :name)
DELETE FROM expandcontract.backfill WHERE change = :name;

-- name: backfill
SELECT began_at, paused_at, paused_by, paused_why, workers, target FROM expandcontract.backfill WHERE change = :name;

-- name: pause
UPDATE expandcontract.backfill AS b
SET paused_at = coalesce(b.paused_at, clock_timestamp()), paused_by = :by, paused_why = :why
FROM expandcontract.change AS c WHERE b.change = :name AND c.name = b.change AND c.move = 'backfill';

-- name: resume
UPDATE expandcontract.backfill AS b SET paused_at = NULL, paused_by = NULL, paused_why = NULL
FROM expandcontract.change AS c WHERE b.change = :name AND c.name = b.change AND c.move = 'backfill';

-- name: set_pace
UPDATE expandcontract.backfill AS b
SET workers = CASE WHEN :new_workers THEN :workers ELSE b.workers END,
    target = CASE WHEN :new_target THEN :target ELSE b.target END
FROM expandcontract.change AS c WHERE b.change = :name AND c.name = b.change AND c.move = 'backfill';

-- name: throttled
SELECT signal, times, seconds, last_value AS value, last_limit AS limit, last_detail AS detail, last_at AS at,
       last_at > clock_timestamp() - interval '3 s' AS now
FROM expandcontract.throttle WHERE change = :name ORDER BY last_at DESC, signal;

-- name: samples
SELECT at, relation, done, total, rows, rate, eta, hot_share, heap_bytes, waiting
FROM expandcontract.progress WHERE change = :name ORDER BY at;

-- name: latest_sample
SELECT at, relation, done, total, rows, rate, eta, hot_share, heap_bytes, waiting,
       (SELECT f.heap_bytes FROM expandcontract.progress AS f
        WHERE f.change = p.change AND f.relation = p.relation ORDER BY f.at LIMIT 1) AS heap_bytes_at_first
FROM expandcontract.progress AS p WHERE change = :name ORDER BY at DESC LIMIT 1;

-- name: workers
SELECT worker, count(*) AS segments FROM expandcontract.segment
WHERE change = :name AND worker IS NOT NULL AND lease_until >= clock_timestamp() GROUP BY worker ORDER BY worker;

-- name: rows_filled
SELECT coalesce(sum(rows_filled), 0) FROM expandcontract.segment WHERE change = :name;

-- name: conflicts
SELECT count(*) FROM expandcontract.conflict WHERE change = :name;

-- name: releases
SELECT color, version, role, baseline, speaks, deployed_at FROM expandcontract.release;

-- name: version
SELECT baseline, speaks FROM expandcontract.version WHERE name = :name;

-- name: record_version
INSERT INTO expandcontract.version (name, baseline, speaks) VALUES (:name, :baseline, cast(:speaks AS jsonb))
ON CONFLICT (name) DO UPDATE SET speaks = version.speaks || excluded.speaks, baseline = excluded.baseline;

-- name: record_release
INSERT INTO expandcontract.release (color, version, role, baseline, speaks)
VALUES (:color, :version, :role, :baseline, cast(:speaks AS jsonb))
ON CONFLICT (color) DO UPDATE SET version = excluded.version, role = excluded.role, baseline = excluded.baseline,
    speaks = excluded.speaks, deployed_at = clock_timestamp();

-- name: weights
SELECT blue, green FROM expandcontract.traffic;

-- name: weights_read_at
SELECT read_at FROM expandcontract.traffic;

-- name: record_weights
INSERT INTO expandcontract.traffic (blue, green) VALUES (:blue, :green)
ON CONFLICT (one) DO UPDATE SET blue = excluded.blue, green = excluded.green, read_at = clock_timestamp();

-- name: journal
SELECT expandcontract.journal_append(:change, :event, cast(:detail AS jsonb));

-- name: history
SELECT seq, at, actor, change, event, detail, hash FROM expandcontract.journal
WHERE cast(:change AS text) IS NULL OR change = :change OR detail -> 'changes' @> to_jsonb(cast(:change AS text))
ORDER BY seq;

-- name: fences
SELECT f.role, f.could_login, f.change FROM (
    SELECT DISTINCT ON (detail ->> 'role') event, detail ->> 'role' AS role, change,
           (detail ->> 'could_login')::boolean AS could_login
    FROM expandcontract.journal WHERE event IN ('fence_intent', 'unfenced') ORDER BY detail ->> 'role', seq DESC
) AS f WHERE f.event = 'fence_intent' ORDER BY f.role;

-- name: turned_back
SELECT t.change, t.at, t.actor FROM (
    SELECT DISTINCT ON (change) change, event, detail, at, actor FROM expandcontract.journal
    WHERE event IN ('began', 'finished', 'taken_back', 'expand_applied', 'expand_reverted', 'contract_applied')
    ORDER BY change, seq DESC
) AS t WHERE t.event IN ('taken_back', 'expand_reverted') OR t.detail ->> 'move' = 'roll-back' ORDER BY t.change;

-- name: verify_history
WITH chain AS (
    SELECT j.*, lag(j.hash, 1, '') OVER (ORDER BY j.seq) AS before, row_number() OVER (ORDER BY j.seq) AS number
    FROM expandcontract.journal AS j
)
SELECT (SELECT min(seq) FROM chain WHERE previous <> before OR seq <> number
            OR hash <> expandcontract.journal_hash(previous, seq, at, actor, change, event, detail)) AS broken,
       (SELECT count(*) FROM chain) AS entries,
       h.seq AS head_seq, h.hash AS head,
       h.hash = coalesce((SELECT hash FROM chain ORDER BY seq DESC LIMIT 1), '') AS head_holds
FROM expandcontract.journal_head AS h;

-- name: claim
UPDATE expandcontract.installation
SET epoch = epoch + 1, holder_pid = pg_backend_pid(), holder = :who, held_since = clock_timestamp() RETURNING epoch;

-- name: check_epoch
SELECT 1 FROM expandcontract.installation WHERE epoch = :epoch FOR SHARE;

-- name: durable
SELECT expandcontract.durable();

-- name: integrity
SELECT change, what FROM expandcontract.integrity();

-- name: reattach
SELECT expandcontract.reattach(:name);
