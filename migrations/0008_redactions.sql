-- What is to be covered in stored output, and waits for another person or does not any more. Derived from the events of the runs.

CREATE TABLE redactions (
    run    INTEGER NOT NULL,                               -- the run
    number INTEGER NOT NULL,                               -- the redaction's number in the run
    asked  INTEGER NOT NULL,                               -- when it was asked for
    open   INTEGER NOT NULL CHECK (open IN (0, 1)),        -- whether it waits
    PRIMARY KEY (run, number)
) STRICT;

CREATE INDEX redactions_open ON redactions (asked) WHERE open = 1;

-- What was asked before this list was kept.
INSERT INTO redactions (run, number, asked, open)
SELECT CAST(substr(stream, 5) AS INTEGER),
       ROW_NUMBER() OVER (PARTITION BY stream ORDER BY version),
       json_extract(record, '$.at'),
       1
FROM events
WHERE kind = 'redaction_asked';

UPDATE redactions SET open = 0
WHERE EXISTS (SELECT 1 FROM events
              WHERE stream = 'run:' || redactions.run
                AND kind IN ('redaction_rejected', 'output_redacted')
                AND json_extract(record, '$.event.number') = redactions.number);
