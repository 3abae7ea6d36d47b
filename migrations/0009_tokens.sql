-- Tokens for scripts. The token itself is only where the script is.

CREATE TABLE tokens (
    id      TEXT    NOT NULL PRIMARY KEY,            -- random; names the token in lists and in the record, and lets nobody in
    hash    TEXT    NOT NULL UNIQUE CHECK (length(hash) = 64), -- SHA-256 of the token, which has 256 random bits
    person  TEXT    NOT NULL REFERENCES people (id), -- for whom the script acts
    name    TEXT    NOT NULL,                        -- as that person calls it
    role    TEXT    NOT NULL CHECK (role IN ('viewer', 'operator')), -- what it lets the script do, as long as the person may
    made    INTEGER NOT NULL,                        -- when it was made
    expires INTEGER NOT NULL,                        -- when it lets nobody in any more
    used    INTEGER,                                 -- when it was last used, to the minute
    address TEXT    NOT NULL DEFAULT ''              -- from where that was, as the portal saw it
) STRICT;

CREATE INDEX tokens_of_person ON tokens (person);
