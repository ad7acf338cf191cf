-- Version 4: segments are claimed by workers, a pass can be cut into batches, and a backfill can be steered while it runs.
ALTER TABLE expandcontract.segment ADD COLUMN window_end bigint;
ALTER TABLE expandcontract.segment ADD COLUMN stripes integer;
ALTER TABLE expandcontract.segment ADD COLUMN pass_page bigint;
ALTER TABLE expandcontract.segment ADD COLUMN claim bigint NOT NULL DEFAULT 0;
ALTER TABLE expandcontract.segment ADD COLUMN worker text;
ALTER TABLE expandcontract.segment ADD COLUMN backend_pid integer;
ALTER TABLE expandcontract.segment ADD COLUMN lease_until timestamptz;

-- how far a window was is only known to the ec that began it; its rows are gone through once more, and written once
UPDATE expandcontract.segment SET cursor_stripe = 0 WHERE done_at IS NULL;

ALTER TABLE expandcontract.segment ADD CHECK ((window_end IS NULL) = (stripes IS NULL));
ALTER TABLE expandcontract.segment ADD CHECK ((worker IS NULL) = (lease_until IS NULL));

CREATE TABLE expandcontract.backfill (
    change text PRIMARY KEY REFERENCES expandcontract.change ON DELETE CASCADE,
    paused_at timestamptz,
    paused_by text,
    paused_why text,
    workers integer CHECK (workers >= 0),
    target interval CHECK (target > interval '0'),
    began_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE expandcontract.throttle (
    change text NOT NULL REFERENCES expandcontract.change ON DELETE CASCADE,
    signal text NOT NULL,
    times bigint NOT NULL CHECK (times > 0),
    seconds double precision NOT NULL CHECK (seconds >= 0),
    last_value double precision NOT NULL,
    last_limit double precision NOT NULL,
    last_detail text NOT NULL,
    last_at timestamptz NOT NULL,
    PRIMARY KEY (change, signal)
);
