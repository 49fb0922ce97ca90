-- A users table for an application that has none yet. Not IF NOT EXISTS: a table of another shape that
-- happens to have the name must be mapped, never taken for this one.
--
-- SQLite has no uuid type. A column declared UUID would get numeric affinity, which can turn hex digits into
-- a number; declared UUID_TEXT it has text affinity, and its name still says what is in it.
CREATE TABLE users (
    id          UUID_TEXT NOT NULL PRIMARY KEY DEFAULT (
                    lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2)
                    || '-' || substr('89ab', 1 + (abs(random()) % 4), 1) || substr(hex(randomblob(2)), 2)
                    || '-' || hex(randomblob(6))))
                CHECK (length(id) = 36 AND id = lower(id)),
    cognito_sub TEXT UNIQUE CHECK (cognito_sub = lower(cognito_sub)), -- the pool user's sub; null while there is none
    email       TEXT,
    created_at  TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    updated_at  TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
);
