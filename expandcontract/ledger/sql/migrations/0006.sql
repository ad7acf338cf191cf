-- Version 6: a shift of the traffic under way, where it came from, and what it was told meanwhile.
CREATE TABLE expandcontract.shift (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    toward text NOT NULL CHECK (toward IN ('blue', 'green')),
    blue integer NOT NULL CHECK (blue BETWEEN 0 AND 100),
    green integer NOT NULL,
    began_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    paused_at timestamptz,
    paused_by text,
    paused_why text,
    aborted_at timestamptz,
    aborted_by text,
    aborted_why text,
    CHECK (blue + green = 100)
);
