-- Version 6: rows that lie in no heap page are cut into slices by a key.
CREATE TABLE expandcontract.keyset (
    change text NOT NULL REFERENCES expandcontract.change ON DELETE CASCADE,
    relation oid NOT NULL,
    columns text[] NOT NULL CHECK (cardinality(columns) > 0),
    types text[] NOT NULL CHECK (cardinality(types) = cardinality(columns)),
    PRIMARY KEY (change, relation)
);

CREATE TABLE expandcontract.slice (
    change text NOT NULL,
    relation oid NOT NULL,
    number bigint NOT NULL CHECK (number >= 0),
    low text[] NOT NULL,
    PRIMARY KEY (change, relation, number),
    FOREIGN KEY (change, relation) REFERENCES expandcontract.keyset ON DELETE CASCADE
);
