-- What a request asked for, set by set: an earlier rejection of a part of it is found by that. Derived from the events of the runs.

CREATE TABLE approval_sets (
    run     INTEGER NOT NULL,   -- the run
    request INTEGER NOT NULL,   -- the request's number in the run
    digest  TEXT    NOT NULL,   -- the digest of a set of commands with all that it is given, whoever asks
    PRIMARY KEY (run, request, digest)
) STRICT;

CREATE INDEX approval_sets_by_digest ON approval_sets (digest);

-- Notices that came to their end are dropped after a while: what is dropped is found without reading what stays.
CREATE INDEX deliveries_ended ON deliveries (at) WHERE state <> 'waiting';
