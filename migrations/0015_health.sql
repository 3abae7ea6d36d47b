-- What tells of a procedure's health: which steps its runs worked through, and what looks at its targets have found.

-- The marks of the steps that were worked through, as a JSON list of text. Derived from the events, like the rest of the row. NULL: the
-- row was written before this was noted, and tells nothing of it.
ALTER TABLE runs ADD COLUMN worked TEXT;
CREATE INDEX runs_closed ON runs (slug, ended, id);

-- The last look at each target for a procedure. One that was of another document than there is now tells nothing.
CREATE TABLE health_looks (
    slug     TEXT    NOT NULL,  -- the procedure's address
    target   TEXT    NOT NULL,  -- the target's name
    document TEXT    NOT NULL,  -- the digests of the document and its side file, as they were
    at       INTEGER NOT NULL,  -- when
    found    TEXT    NOT NULL,  -- what was found, as JSON
    PRIMARY KEY (slug, target)
) STRICT;
