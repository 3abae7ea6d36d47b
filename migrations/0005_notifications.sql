-- Telling people: where mail reaches them, and what is on its way to whom.

-- The address that mail goes to. NULL: none goes to this person.
ALTER TABLE people ADD COLUMN mail TEXT;

-- Notices on their way, one row for each receiver. A row is written in the transaction that records the event.
CREATE TABLE deliveries (
    id      INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, -- in the order in which they were made
    key     TEXT    NOT NULL UNIQUE,                    -- random; sent along, so that a receiver can drop what comes twice
    channel TEXT    NOT NULL,                           -- `mail`, or `webhook:` and its name
    person  TEXT    REFERENCES people (id),             -- whom the mail is for; NULL for a webhook
    notice  TEXT    NOT NULL,                           -- what it says, as JSON; without values unless the channel tells them
    made    INTEGER NOT NULL,                           -- when the event was recorded
    tries   INTEGER NOT NULL DEFAULT 0 CHECK (tries >= 0), -- how often it was tried
    state   TEXT    NOT NULL CHECK (state IN ('waiting', 'delivered', 'given_up')),
    at      INTEGER NOT NULL,                           -- when it is tried next, or when it came to its end
    error   TEXT    NOT NULL DEFAULT '',                -- why the last try did not succeed
    CHECK ((channel = 'mail') = (person IS NOT NULL))
) STRICT;

CREATE INDEX deliveries_due ON deliveries (channel, at) WHERE state = 'waiting';
