-- Second factors, the tries at what a person knows, and where sessions come from.

-- Authenticator apps that are in use: one for each person.
CREATE TABLE authenticators (
    person TEXT    NOT NULL PRIMARY KEY REFERENCES people (id), -- whose it is
    secret TEXT    NOT NULL,                                    -- sealed with a key that is not in the database
    since  INTEGER NOT NULL,                                    -- when it was switched on
    step   INTEGER NOT NULL                                     -- the time step of the last code that was accepted; only a later one will be
) STRICT;

-- Authenticator apps that are being set up. What is shown for that is gone when it is done.
CREATE TABLE authenticator_offers (
    person  TEXT    NOT NULL PRIMARY KEY REFERENCES people (id), -- who sets it up
    session TEXT    NOT NULL CHECK (length(session) = 64),       -- SHA-256 of the id of the session in which they do
    sealed  TEXT    NOT NULL,                                    -- secret and recovery codes, sealed
    ends    INTEGER NOT NULL                                     -- when it is too late
) STRICT;

-- Recovery codes that were not used yet.
CREATE TABLE recovery_codes (
    person TEXT NOT NULL REFERENCES people (id),
    hash   TEXT NOT NULL CHECK (length(hash) = 64), -- SHA-256 of person and code; a code has 80 random bits
    PRIMARY KEY (person, hash)
) STRICT;

CREATE TABLE passkeys (
    id         TEXT    NOT NULL PRIMARY KEY,            -- the credential's id
    person     TEXT    NOT NULL REFERENCES people (id), -- whose it is
    name       TEXT    NOT NULL,                        -- as its owner calls it
    credential TEXT    NOT NULL,                        -- public key, counter and flags, as JSON
    since      INTEGER NOT NULL,                        -- when it was added
    used       INTEGER                                  -- when it last proved somebody
) STRICT;

CREATE INDEX passkeys_of_person ON passkeys (person);

-- Tries at a password or a second factor that did not succeed, or whose outcome is not known yet.
CREATE TABLE tries (
    id     INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,                -- never used twice
    person TEXT    NOT NULL REFERENCES people (id),                   -- whose password or factor
    what   TEXT    NOT NULL CHECK (what IN ('password', 'factor')),
    at     INTEGER NOT NULL                                           -- when
) STRICT;

CREATE INDEX tries_of_person ON tries (person, what, at);

ALTER TABLE sessions ADD COLUMN seen    INTEGER NOT NULL DEFAULT 0;  -- when it was last used, to the minute
ALTER TABLE sessions ADD COLUMN address TEXT    NOT NULL DEFAULT ''; -- from where it was begun, as the portal saw it
ALTER TABLE sessions ADD COLUMN agent   TEXT    NOT NULL DEFAULT ''; -- by which browser, as it said
UPDATE sessions SET seen = created;
