-- What was about to be done, and how it ended. Events are only ever added: the primary key lets each step
-- of a run be opened once and closed once, which is how a step is claimed by one of two people.
CREATE TABLE userlink_journal (
    run        TEXT   NOT NULL,
    step_no    BIGINT NOT NULL,
    event      TEXT   NOT NULL CHECK (event IN ('opened', 'closed')),
    at_ms      BIGINT NOT NULL,             -- milliseconds since 1970-01-01 UTC
    -- of an opened step
    step       TEXT,                        -- JSON
    situation  TEXT,
    actor      TEXT,
    reason     TEXT,
    username   TEXT,
    sub        TEXT,
    row_id     TEXT,
    -- of a closed step
    outcome    TEXT CHECK (outcome IN ('done', 'failed', 'stale', 'found_done', 'not_done')),
    detail     TEXT,
    PRIMARY KEY (run, step_no, event),
    CHECK ((event = 'opened') = (step IS NOT NULL AND situation IS NOT NULL AND actor IS NOT NULL)),
    CHECK ((event = 'closed') = (outcome IS NOT NULL AND detail IS NOT NULL))
);

CREATE INDEX userlink_journal_username ON userlink_journal (username);
CREATE INDEX userlink_journal_sub ON userlink_journal (sub);
CREATE INDEX userlink_journal_row_id ON userlink_journal (row_id);

CREATE FUNCTION userlink_journal_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'userlink_journal is only ever added to';
END
$$;

CREATE TRIGGER userlink_journal_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON userlink_journal
    FOR EACH STATEMENT EXECUTE FUNCTION userlink_journal_append_only();
