-- What was about to be done, and how it ended. Events are only ever added: the primary key lets each step
-- of a run be opened once and closed once.
--
-- A user of a pool is claimed by one person at a time: a step is opened only where no other step about the user
-- is open, as the next one about the user (`claim`). Two that are opened at once are both the next one, and the
-- unique index lets in one of them.
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
    pool_id    TEXT,
    attribute  TEXT,                        -- that names the row
    table_name TEXT,                        -- schema.name
    process    TEXT,                        -- which run of the program opened it
    claim      BIGINT,                      -- the how-manieth step about the user in this pool; null without a sub
    -- of a closed step
    outcome    TEXT CHECK (outcome IN ('done', 'overtaken', 'failed', 'stale', 'found_done', 'not_done')),
    detail     TEXT,
    PRIMARY KEY (run, step_no, event),
    CHECK ((event = 'opened') = (step IS NOT NULL AND situation IS NOT NULL AND actor IS NOT NULL
        AND pool_id IS NOT NULL AND attribute IS NOT NULL AND table_name IS NOT NULL)),
    CHECK ((claim IS NOT NULL) = (event = 'opened' AND sub IS NOT NULL)),
    CHECK ((event = 'closed') = (outcome IS NOT NULL AND detail IS NOT NULL))
);

CREATE UNIQUE INDEX userlink_journal_claim ON userlink_journal (pool_id, sub, claim);
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
