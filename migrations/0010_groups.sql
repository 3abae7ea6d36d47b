-- Groups of people, and to which of them runs are limited.

CREATE TABLE person_groups (
    person TEXT NOT NULL REFERENCES people (id),                    -- who
    name   TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 40),     -- is in the group of this name
    PRIMARY KEY (person, name)
) STRICT;

-- The groups to which the procedure was limited when the run was started: the names in order, with a blank before and behind each;
-- a blank alone limits it to administrators. NULL: every signed-in person. Derived from the events, like the rest of the row.
ALTER TABLE runs ADD COLUMN visible_to TEXT;
