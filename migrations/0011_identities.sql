-- People whom somebody else vouches for, and for how long a sign-in with them is fresh.

-- Which account belongs to whom there. A row is never changed: who is somebody else there gets an account of their own.
CREATE TABLE identities (
    issuer  TEXT    NOT NULL,                                     -- `proxy`, or the address of the identity provider
    subject TEXT    NOT NULL,                                     -- what names the person there
    person  TEXT    NOT NULL UNIQUE REFERENCES people (id),       -- whose account it is; its password is empty, and no password fits it
    since   INTEGER NOT NULL,                                     -- when the account was made
    PRIMARY KEY (issuer, subject)
) STRICT;

-- Until when it counts as proven in this session who it is, for whoever has no password to be asked for. 0: it does not.
ALTER TABLE sessions ADD COLUMN proven INTEGER NOT NULL DEFAULT 0;
