-- Version 2: disagreements between the two shapes within one statement are counted.
CREATE TABLE expandcontract.conflict (
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    change text NOT NULL,
    won text NOT NULL,
    role text NOT NULL DEFAULT CURRENT_USER
);
