-- What fires and suggests procedures, and tokens that may do no more than tell of it.

-- `suggest`: the token tells of alerts and does nothing else, whatever its role.
ALTER TABLE tokens ADD COLUMN scope TEXT NOT NULL DEFAULT 'role' CHECK (scope IN ('role', 'suggest'));

-- One row for each name of alerts and service, from the first that fires until the last is resolved. Which procedures it suggests
-- is not here: that is what the documents say now.
CREATE TABLE suggestions (
    id        INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, -- which; never used again
    alert     TEXT    NOT NULL,                -- the name of the alerts
    service   TEXT    NOT NULL,                -- what they are about; may be empty
    summary   TEXT    NOT NULL,                -- what they say, in one line; may be empty
    labels    TEXT    NOT NULL,                -- the labels that procedures ask for, as JSON: text by name
    firing    TEXT    NOT NULL,                -- those that fire, as a JSON list of marks
    since     INTEGER NOT NULL,                -- since when the first of them fires
    opened    INTEGER NOT NULL,                -- when the portal heard of it first
    heard     INTEGER NOT NULL,                -- when it heard of it last
    times     INTEGER NOT NULL CHECK (times >= 1), -- how often it did
    dismissed INTEGER,                         -- when somebody dismissed it; it stays until nothing fires any more
    resolved  INTEGER                          -- when nothing of it fired any more
) STRICT;

CREATE UNIQUE INDEX suggestions_standing ON suggestions (alert, service) WHERE resolved IS NULL;

-- The runs that were started from a suggestion.
CREATE TABLE suggested_runs (
    run        INTEGER NOT NULL PRIMARY KEY,             -- the run
    suggestion INTEGER NOT NULL REFERENCES suggestions (id) -- from which it was started
) STRICT;

CREATE INDEX suggested_runs_of ON suggested_runs (suggestion);

-- What is due by itself: one row for each procedure that has a schedule now.
CREATE TABLE schedules (
    slug   TEXT    NOT NULL PRIMARY KEY,             -- the procedure's address
    says   TEXT    NOT NULL,                         -- the schedule as its side file has it; another one begins anew
    due    INTEGER,                                  -- when it is due next; NULL: never
    run    INTEGER,                                  -- the run that it started last
    missed INTEGER,                                  -- when it was due last without a run, since it started one
    times  INTEGER NOT NULL CHECK (times >= 0),      -- how often that was
    why    TEXT    NOT NULL                          -- why there was none the last time, in a sentence; may be empty
) STRICT;
