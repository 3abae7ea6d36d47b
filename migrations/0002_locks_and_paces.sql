-- Which run keeps which target to itself, and how long a step usually takes.

-- The target whose lock the run holds. A target has one holder: the index is the last defence of that.
ALTER TABLE runs ADD COLUMN holds TEXT;
CREATE UNIQUE INDEX runs_one_lock ON runs (holds) WHERE holds IS NOT NULL;

-- What the attempt did, as a digest over the step's commands, and how long it took in milliseconds. Set only for an attempt
-- that ran the whole step to a good end.
ALTER TABLE attempts ADD COLUMN work TEXT;
ALTER TABLE attempts ADD COLUMN took INTEGER CHECK (took >= 0);
CREATE INDEX attempts_usual ON attempts (work, run) WHERE work IS NOT NULL;
