-- Requests for approval, as a list: what waits for a decision, and what was decided before. Derived from the events of the runs.

CREATE TABLE approvals (
    run        INTEGER NOT NULL,                        -- the run
    request    INTEGER NOT NULL CHECK (request >= 1),   -- the request's number in the run
    slug       TEXT    NOT NULL,                        -- the procedure's address
    title      TEXT    NOT NULL,                        -- the procedure's title as it was
    steps      TEXT    NOT NULL,                        -- the titles of the covered steps
    target     TEXT    NOT NULL,                        -- where they run
    risk       TEXT    NOT NULL CHECK (risk IN ('reads', 'changes', 'disrupts', 'destroys')), -- the worst class of them
    by_id      TEXT    NOT NULL,                        -- who asked, or broke the glass
    by_name    TEXT    NOT NULL,                        -- their name then
    reason     TEXT    NOT NULL,                        -- why
    asked      INTEGER NOT NULL,                        -- when
    expires    INTEGER NOT NULL,                        -- when it expires undecided; once approved, until when the next of it has to start
    leads      INTEGER NOT NULL,                        -- how many leads have to approve
    approvals      INTEGER NOT NULL,                        -- how many have
    status     TEXT    NOT NULL CHECK (status IN ('waiting', 'approved', 'used', 'rejected', 'cancelled', 'expired', 'void')),
    decided    INTEGER,                                 -- when it was decided or came to an end
    decided_by TEXT,                                    -- by whom, if by a person
    same       TEXT    NOT NULL,                        -- the digest of what it asks for, whoever asks
    glass      INTEGER NOT NULL CHECK (glass IN (0, 1)),-- whether it is the breaking of the glass
    reviewed   INTEGER,                                 -- when that was reviewed
    PRIMARY KEY (run, request)
) STRICT;

CREATE INDEX approvals_by_status ON approvals (status, expires);
CREATE INDEX approvals_by_time ON approvals (asked);
CREATE INDEX approvals_of_procedure ON approvals (slug, status, run);
CREATE INDEX approvals_same ON approvals (same, status);
CREATE INDEX approvals_unreviewed ON approvals (by_id) WHERE glass = 1 AND reviewed IS NULL;
