-- The ledger of a fresh installation, version 5. Migrations bring older installations to exactly this; a test compares.
CREATE SCHEMA expandcontract;

CREATE TABLE expandcontract.installation (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    version integer NOT NULL,
    development boolean NOT NULL DEFAULT false,
    fresh text,
    epoch bigint NOT NULL DEFAULT 0,
    holder_pid integer,
    holder text,
    held_since timestamptz
);

CREATE TABLE expandcontract.change (
    name text PRIMARY KEY CHECK (name ~ '^[a-z][a-z0-9_]{0,49}$'),
    phase text NOT NULL DEFAULT 'planned'
        CHECK (phase IN ('planned', 'expanded', 'dual_writing', 'backfilled', 'cut_over', 'contracted')),
    move text CHECK (move IN ('expand', 'dual-write', 'backfill', 'cut-over', 'contract', 'roll-back')),
    move_since timestamptz,
    move_version text,
    move_arguments jsonb,
    attached boolean NOT NULL DEFAULT false,
    expand_revision text,
    contract_revision text,
    window_length interval CHECK (window_length >= interval '0'),
    window_opened_at timestamptz,
    by_database boolean NOT NULL DEFAULT false,
    before_dual jsonb,
    before_cut_over jsonb,
    contracted_at timestamptz,
    straight boolean NOT NULL DEFAULT false,
    planned_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    kind text NOT NULL DEFAULT 'mapped'
        CHECK (kind IN ('mapped', 'swapped', 'filled', 'additive', 'tightened', 'removed')),
    shape jsonb,
    CHECK ((move IS NULL) = (move_since IS NULL))
);

CREATE TABLE expandcontract.version (
    name text PRIMARY KEY,
    baseline text,
    speaks jsonb NOT NULL DEFAULT '{}',
    first_deployed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE expandcontract.release (
    color text PRIMARY KEY CHECK (color IN ('blue', 'green')),
    version text NOT NULL,
    role text,
    baseline text,
    speaks jsonb NOT NULL DEFAULT '{}',
    deployed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE expandcontract.traffic (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    blue integer NOT NULL CHECK (blue BETWEEN 0 AND 100),
    green integer NOT NULL,
    read_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK (blue + green = 100)
);

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

CREATE TABLE expandcontract.segment (
    change text NOT NULL REFERENCES expandcontract.change ON DELETE CASCADE,
    relation oid NOT NULL,
    filenode oid NOT NULL,
    first_page bigint NOT NULL,
    end_page bigint NOT NULL,
    cursor_page bigint NOT NULL,
    cursor_stripe integer NOT NULL DEFAULT 0,
    rows_filled bigint NOT NULL DEFAULT 0,
    done_at timestamptz,
    window_end bigint,
    stripes integer,
    pass_page bigint,
    claim bigint NOT NULL DEFAULT 0,
    worker text,
    backend_pid integer,
    lease_until timestamptz,
    PRIMARY KEY (change, relation, first_page),
    CHECK ((window_end IS NULL) = (stripes IS NULL)),
    CHECK ((worker IS NULL) = (lease_until IS NULL))
);

CREATE TABLE expandcontract.backfill (
    change text PRIMARY KEY REFERENCES expandcontract.change ON DELETE CASCADE,
    paused_at timestamptz,
    paused_by text,
    paused_why text,
    workers integer CHECK (workers >= 0),
    target interval CHECK (target > interval '0'),
    began_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    sample_every interval NOT NULL DEFAULT '1 s' CHECK (sample_every > interval '0')
);

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

CREATE TABLE expandcontract.synced (
    schema_name text NOT NULL,
    table_name text NOT NULL,
    function text NOT NULL,
    digest text NOT NULL,
    PRIMARY KEY (schema_name, table_name)
);

CREATE TABLE expandcontract.journal (
    seq bigint PRIMARY KEY,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    change text,
    event text NOT NULL,
    detail jsonb NOT NULL,
    previous text NOT NULL,
    hash text NOT NULL
);

CREATE TABLE expandcontract.journal_head (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    seq bigint NOT NULL,
    hash text NOT NULL
);

INSERT INTO expandcontract.journal_head (seq, hash) VALUES (0, '');

CREATE SEQUENCE expandcontract.generation;

CREATE TABLE expandcontract.conflict (
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    change text NOT NULL,
    won text NOT NULL,
    role text NOT NULL DEFAULT CURRENT_USER
);
