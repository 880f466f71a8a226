-- One ledger. Everything but `state` is only ever appended to; bodies may be deleted.
CREATE TABLE entries (
    idx         INTEGER PRIMARY KEY,   -- leaf index, from 0
    kind        TEXT    NOT NULL,      -- kind, source, received_ms repeat the leaf, for queries
    source      TEXT    NOT NULL,
    received_ms INTEGER NOT NULL,
    leaf        BLOB    NOT NULL,      -- the committed bytes (docs/wire-format.md)
    chain       BLOB    NOT NULL       -- chain value after this entry
) STRICT;

-- What the leaves commit to. A deleted body has no row, and no salt to guess it with. Apart
-- from the leaves so that deleting many frees whole pages.
CREATE TABLE bodies (
    idx  INTEGER PRIMARY KEY,
    salt BLOB NOT NULL,
    body BLOB NOT NULL
) STRICT;

-- The end of each deleted body whose number has to be known for ever: eight bytes of its tag,
-- so that a repeat is still known as one.
CREATE TABLE tails (
    idx  INTEGER PRIMARY KEY,
    tail BLOB NOT NULL
) STRICT;

-- Hashes of complete subtrees of 2**level leaves, level = 8, 16, ...: a row per 256 below.
CREATE TABLE nodes (
    level INTEGER NOT NULL,
    n     INTEGER NOT NULL,
    hash  BLOB    NOT NULL,
    PRIMARY KEY (level, n)
) STRICT, WITHOUT ROWID;

-- Which entry took which sequence number: what makes a repeat a repeat, for ever.
CREATE TABLE numbers (
    kid      BLOB    NOT NULL,
    epoch    INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    idx      INTEGER NOT NULL,
    PRIMARY KEY (kid, epoch, sequence)
) STRICT, WITHOUT ROWID;

-- Small facts that change with the entries: origin, checkpoint, cursors.
CREATE TABLE state (
    key   TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
