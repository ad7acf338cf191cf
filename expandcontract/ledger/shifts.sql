-- name: shift
SELECT toward, blue, green, began_at, paused_at, paused_by, paused_why, aborted_at, aborted_by, aborted_why
FROM expandcontract.shift;

-- name: begin
-- The same shift begun again, after a kill, keeps where it came from and what it was told.
INSERT INTO expandcontract.shift (toward, blue, green) VALUES (:toward, :blue, :green)
ON CONFLICT (one) DO UPDATE SET toward = excluded.toward, blue = excluded.blue, green = excluded.green,
    began_at = excluded.began_at, paused_at = NULL, paused_by = NULL, paused_why = NULL,
    aborted_at = NULL, aborted_by = NULL, aborted_why = NULL
WHERE shift.toward <> excluded.toward;

-- name: end
DELETE FROM expandcontract.shift;

-- name: pause
UPDATE expandcontract.shift
SET paused_at = coalesce(paused_at, clock_timestamp()), paused_by = :by, paused_why = :why WHERE aborted_at IS NULL;

-- name: resume
UPDATE expandcontract.shift SET paused_at = NULL, paused_by = NULL, paused_why = NULL WHERE aborted_at IS NULL;

-- name: abort
UPDATE expandcontract.shift
SET aborted_at = coalesce(aborted_at, clock_timestamp()), aborted_by = :by, aborted_why = :why;
