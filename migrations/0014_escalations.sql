-- Who is called into which run, and the open runs in which something may be due by itself. Derived from the events of the runs.

-- One row for each person that an escalation is for.
CREATE TABLE escalations (
    run     INTEGER NOT NULL,                            -- the run
    number  INTEGER NOT NULL,                            -- the escalation's number in the run
    person  TEXT    NOT NULL,                            -- who is called
    by_name TEXT    NOT NULL,                            -- who called; may be the portal
    why     TEXT    NOT NULL,                            -- why, in a sentence
    at      INTEGER NOT NULL,                            -- when
    open    INTEGER NOT NULL CHECK (open IN (0, 1)),     -- whether the run is open, and somebody else works in it
    PRIMARY KEY (run, number, person)
) STRICT;

CREATE INDEX escalations_open ON escalations (person, at) WHERE open = 1;

-- The open runs in which somebody is to be told by itself, now or later. Where that needs something to happen first, there is no row.
CREATE TABLE escalating (
    run INTEGER NOT NULL PRIMARY KEY, -- the run
    due INTEGER NOT NULL              -- the earliest time at which a line may be due
) STRICT;

CREATE INDEX escalating_due ON escalating (due);
