-- Version 5: how a backfill went is kept, thinned out as it grows.
ALTER TABLE expandcontract.backfill ADD COLUMN sample_every interval NOT NULL DEFAULT '1 s' CHECK (sample_every > interval '0');

CREATE TABLE expandcontract.progress (
    change text NOT NULL REFERENCES expandcontract.change ON DELETE CASCADE,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    relation text NOT NULL,
    done double precision NOT NULL CHECK (done >= 0),
    total bigint NOT NULL CHECK (total >= 0),
    rows bigint NOT NULL CHECK (rows >= 0),
    rate double precision NOT NULL CHECK (rate >= 0),
    eta interval,
    hot_share double precision CHECK (hot_share BETWEEN 0 AND 1),
    heap_bytes bigint NOT NULL CHECK (heap_bytes >= 0),
    waiting text[] NOT NULL,
    PRIMARY KEY (change, at)
);
