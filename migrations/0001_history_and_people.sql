-- The first schema: the chain of events, the lists that are derived from it, people and their sessions.
--
-- Portable on purpose: ids and enums are TEXT, moments are whole milliseconds since 1970, flags are 0 or 1, JSON is TEXT.
-- STRICT tables know no BIGINT: INTEGER is the same 64 bits here.

-- Everything that ever happened, in one chain. Rows are only ever added.
CREATE TABLE events (
    seq      INTEGER NOT NULL PRIMARY KEY,          -- place in the chain, from 1, without a gap
    stream   TEXT    NOT NULL,                      -- what it happened to: `run:12`, or `portal`
    version  INTEGER NOT NULL CHECK (version >= 1), -- place in the stream, from 1, without a gap
    kind     TEXT    NOT NULL,                      -- the name of the event
    v        INTEGER NOT NULL CHECK (v >= 1),       -- the version of the event's stored form
    at       INTEGER NOT NULL,                      -- when it was recorded
    record   TEXT    NOT NULL,                      -- the JSON that is hashed; never written again from its parsed form
    previous TEXT    NOT NULL CHECK (length(previous) = 64), -- the hash of the row before; zeros in the first row
    hash     TEXT    NOT NULL CHECK (length(hash) = 64),     -- SHA-256 of `previous`, a line feed, and `record`
    UNIQUE (stream, version)
) STRICT;

-- One row for each run, derived from its events: what lists and filters need.
CREATE TABLE runs (
    id         INTEGER NOT NULL PRIMARY KEY,          -- the run's number, from 1
    version    INTEGER NOT NULL CHECK (version >= 1), -- the version of the last event of its stream
    slug       TEXT    NOT NULL,                      -- the procedure's address
    title      TEXT    NOT NULL,                      -- the procedure's title as it was
    target     TEXT    NOT NULL,                      -- where it runs
    by_id      TEXT    NOT NULL,                      -- who started it
    by_name    TEXT    NOT NULL,                      -- their name at that moment
    reason     TEXT    NOT NULL,                      -- why; may be empty
    words      TEXT    NOT NULL,                      -- title and reason in lower case, for the search
    started    INTEGER NOT NULL,                      -- when it was started
    ended      INTEGER,                               -- when it was closed
    verdict    TEXT CHECK (verdict IN ('reached', 'not_reached', 'rolled_back', 'aborted')), -- what came of it
    status     TEXT    NOT NULL CHECK (status IN ('waiting', 'running', 'watching', 'paused', 'done', 'difference',
                                                  'failed', 'stopped', 'interrupted', 'skipped')), -- of the current step
    step       INTEGER NOT NULL,                      -- the document's number of the current step; 0 when all are over
    step_title TEXT    NOT NULL,                      -- the title of the current step
    steps      INTEGER NOT NULL,                      -- how many steps there are, the rollback not counted
    risk       TEXT    NOT NULL CHECK (risk IN ('reads', 'changes', 'disrupts', 'destroys')), -- the worst of its steps
    CHECK ((ended IS NULL) = (verdict IS NULL))
) STRICT;

CREATE INDEX runs_of_procedure ON runs (slug, id);
CREATE INDEX runs_of_person ON runs (by_id, id);
CREATE INDEX runs_by_verdict ON runs (verdict, id);
CREATE INDEX runs_usual ON runs (slug, verdict, id);
CREATE INDEX runs_by_end ON runs (ended, id);

-- One row for each intent, derived from the events: no second one with the same number, and one open at a time.
CREATE TABLE attempts (
    run     INTEGER NOT NULL,                      -- the run
    step    INTEGER NOT NULL CHECK (step >= 1),    -- the step's place in the plan
    attempt INTEGER NOT NULL CHECK (attempt >= 1), -- the attempt's number in the step
    started INTEGER NOT NULL,                      -- when the intent was recorded
    ended   INTEGER,                               -- when its end was recorded
    PRIMARY KEY (run, step, attempt)
) STRICT;

CREATE UNIQUE INDEX attempts_one_open ON attempts (run) WHERE ended IS NULL;

-- The keys of requests that have started a run: sending one again finds the same run.
CREATE TABLE actions (
    key    TEXT    NOT NULL PRIMARY KEY, -- made by the page, once for each form
    run    INTEGER NOT NULL,             -- the run that it started
    person TEXT    NOT NULL,             -- who sent it
    at     INTEGER NOT NULL              -- when
) STRICT;

-- Accounts. A row is never deleted: history names people by id.
CREATE TABLE people (
    id       TEXT    NOT NULL PRIMARY KEY,                   -- random
    login    TEXT    NOT NULL UNIQUE,                        -- the name to sign in with, in lower case
    name     TEXT    NOT NULL,                               -- the name that others see
    role     TEXT    NOT NULL CHECK (role IN ('viewer', 'operator', 'lead', 'administrator')),
    enabled  INTEGER NOT NULL CHECK (enabled IN (0, 1)),     -- whether they may sign in
    password TEXT    NOT NULL,                               -- the password's hash with its parameters
    created  INTEGER NOT NULL,                               -- when the account was made
    seen     INTEGER                                         -- when they last signed in
) STRICT;

-- Signed-in browsers. The id itself is only in the browser's cookie.
CREATE TABLE sessions (
    id      TEXT    NOT NULL PRIMARY KEY,            -- SHA-256 of the id
    person  TEXT    NOT NULL REFERENCES people (id), -- whose it is
    data    TEXT    NOT NULL,                        -- what the HTTP side keeps in it, as JSON
    created INTEGER NOT NULL,                        -- when it began
    idle    INTEGER NOT NULL,                        -- when it ends unless it is used before
    ends    INTEGER NOT NULL                         -- when it ends in any case
) STRICT;

CREATE INDEX sessions_of_person ON sessions (person);

-- Single values, by name.
CREATE TABLE meta (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;
