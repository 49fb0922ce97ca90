-- Entries that somebody has dismissed, and why; and that they were taken up again, which is an event without evidence. Events are
-- only ever added: the last one about a record counts.
CREATE TABLE userlink_dismissals (
    id         TEXT   NOT NULL PRIMARY KEY, -- a version 7 UUID: later ones come later
    pool_id    TEXT   NOT NULL,
    attribute  TEXT   NOT NULL,             -- that names the row
    table_name TEXT   NOT NULL,             -- schema.name
    record     TEXT   NOT NULL,             -- "user SUB" or "row ID"
    evidence   TEXT,                        -- what the verdict rested on, as a digest
    reason     TEXT,
    actor      TEXT   NOT NULL,
    at_ms      BIGINT NOT NULL,             -- milliseconds since 1970-01-01 UTC
    CHECK ((evidence IS NULL) = (reason IS NULL))
);

CREATE INDEX userlink_dismissals_of ON userlink_dismissals (pool_id, attribute, table_name, record, id);
