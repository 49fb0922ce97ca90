-- A users table for an application that has none yet. Not IF NOT EXISTS: a table of another shape that
-- happens to have the name must be mapped, never taken for this one.
CREATE TABLE users (
    id          UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    cognito_sub UUID UNIQUE,                -- the pool user's sub; null while there is none
    email       TEXT,
    created_at  TIMESTAMPTZ NOT NULL DEFAULT now(),
    updated_at  TIMESTAMPTZ NOT NULL DEFAULT now()
);
