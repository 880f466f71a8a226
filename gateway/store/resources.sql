-- What durable resources consist of now: the entries whose contents, in this order, make one up.
-- Derived from the entries, in whose transaction it is changed.
CREATE TABLE resources (
    path       TEXT    NOT NULL,
    position   INTEGER NOT NULL,   -- 0 is what was put, or the first that was appended
    idx        INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL,   -- of the contents up to and with this one
    format     INTEGER,            -- Content-Format of the resource
    PRIMARY KEY (path, position)
) STRICT, WITHOUT ROWID;
