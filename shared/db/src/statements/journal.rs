//! The statements of the journal. They read, and add.

/// The outcomes of a step that was written.
macro_rules! written {
    () => {
        "('done', 'overtaken', 'found_done')"
    };
}

/// Nothing is added where a step about the user is open. Two that come at once both come after the same claim, and the unique index on that number lets in one. Nor where the step of the plan has been done.
pub(crate) const OPEN: &str = concat!(
    "
INSERT INTO userlink_journal (run, step_no, event, at_ms, step, situation, actor, reason, username, sub, row_id,
    pool_id, attribute, table_name, process, plan, claim)
SELECT $1, $2, 'opened', $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15,
    CASE WHEN $9 IS NOT NULL THEN 1 + (SELECT coalesce(max(o.claim), 0) FROM userlink_journal o
        WHERE o.event = 'opened' AND o.pool_id = $11 AND o.sub = $9) END
WHERE NOT EXISTS (SELECT 1 FROM userlink_journal o WHERE o.event = 'opened' AND o.pool_id = $11 AND o.sub = $9
    AND NOT EXISTS (SELECT 1 FROM userlink_journal c
        WHERE c.run = o.run AND c.step_no = o.step_no AND c.event = 'closed'))
AND NOT EXISTS (SELECT 1 FROM userlink_journal o JOIN userlink_journal c
    ON c.run = o.run AND c.step_no = o.step_no AND c.event = 'closed'
    WHERE o.event = 'opened' AND o.plan = $15 AND o.step_no = $2 AND c.outcome IN ",
    written!(),
    ")
ON CONFLICT DO NOTHING"
);

/// Who has done a step of a plan.
pub(crate) const DOER: &str = concat!(
    "
SELECT o.actor, c.at_ms FROM userlink_journal o JOIN userlink_journal c
    ON c.run = o.run AND c.step_no = o.step_no AND c.event = 'closed'
WHERE o.event = 'opened' AND o.plan = $1 AND o.step_no = $2 AND c.outcome IN ",
    written!(),
    " LIMIT 1"
);

/// Who has the step, or the user, already.
pub(crate) const HOLDER: &str = "
SELECT o.actor, o.at_ms FROM userlink_journal o WHERE o.event = 'opened' AND ((o.run = $1 AND o.step_no = $2)
    OR (o.pool_id = $3 AND o.sub = $4 AND NOT EXISTS (SELECT 1 FROM userlink_journal c
        WHERE c.run = o.run AND c.step_no = o.step_no AND c.event = 'closed')))
ORDER BY o.at_ms LIMIT 1";

/// Only a step that is open can be closed.
pub(crate) const CLOSE: &str = "
INSERT INTO userlink_journal (run, step_no, event, at_ms, outcome, detail)
SELECT o.run, o.step_no, 'closed', $3, $4, $5 FROM userlink_journal o
WHERE o.run = $1 AND o.step_no = $2 AND o.event = 'opened'
ON CONFLICT (run, step_no, event) DO NOTHING";

/// The runs of a pool, attribute and table, newest first; $1 limit.
pub(crate) const RUNS: &str = concat!(
    "
SELECT o.run, min(o.at_ms), min(o.actor), min(o.reason), count(*), ",
    "CAST(sum(CASE WHEN c.outcome IN ",
    written!(),
    " THEN 1 ELSE 0 END) AS BIGINT), CAST(sum(CASE WHEN c.run IS NULL THEN 1 ELSE 0 END) AS BIGINT)
FROM userlink_journal o LEFT JOIN userlink_journal c ON c.run = o.run AND c.step_no = o.step_no AND c.event = 'closed'
WHERE o.event = 'opened' AND o.pool_id = $2 AND o.attribute = $3 AND o.table_name = $4
GROUP BY o.run ORDER BY min(o.at_ms) DESC, o.run DESC LIMIT $1"
);

/// Users of a pool, attribute and table who were contained, and whose `user_id` was not written since. What was cut short may have
/// been that. The name of a step stands first in it, and the claim says which of two about a user came later.
pub(crate) const CONTAINED_USERS: &str = concat!(
    "
SELECT DISTINCT o.sub FROM userlink_journal o
    LEFT JOIN userlink_journal c ON c.run = o.run AND c.step_no = o.step_no AND c.event = 'closed'
WHERE o.event = 'opened' AND o.pool_id = $1 AND o.attribute = $2 AND o.table_name = $3 AND o.sub IS NOT NULL
    AND o.step LIKE '{\"step\":\"clear_user_id\"%' AND (c.outcome IS NULL
        OR c.detail <> '' AND c.outcome IN ",
    written!(),
    ")
    AND NOT EXISTS (SELECT 1 FROM userlink_journal l
        JOIN userlink_journal e ON e.run = l.run AND e.step_no = l.step_no AND e.event = 'closed'
        WHERE l.event = 'opened' AND l.pool_id = o.pool_id AND l.sub = o.sub AND l.claim > o.claim
        AND l.attribute = o.attribute AND l.step LIKE '{\"step\":\"write_user_id\"%' AND e.outcome IN ",
    written!(),
    ")"
);

/// Steps of a plan that were written, and about whose user or row another plan wrote later. Who is signed out has the pointers that
/// were there.
pub(crate) const CHANGED_SINCE: &str = concat!(
    "
SELECT DISTINCT o.step_no FROM userlink_journal o
    JOIN userlink_journal c ON c.run = o.run AND c.step_no = o.step_no AND c.event = 'closed'
WHERE o.event = 'opened' AND o.plan = $1 AND c.outcome IN ",
    written!(),
    "
    AND EXISTS (SELECT 1 FROM userlink_journal l
        JOIN userlink_journal e ON e.run = l.run AND e.step_no = l.step_no AND e.event = 'closed'
        WHERE l.event = 'opened' AND (l.sub = o.sub AND l.claim > o.claim OR l.row_id = o.row_id AND l.at_ms > o.at_ms)
        AND l.pool_id = o.pool_id AND l.attribute = o.attribute AND l.table_name = o.table_name
        AND (l.plan IS NULL OR l.plan <> o.plan) AND l.step NOT LIKE '{\"step\":\"sign_out\"%' AND e.outcome IN ",
    written!(),
    ")"
);

/// The steps for which a condition holds.
macro_rules! steps {
    ($condition:literal, $rest:literal) => {
        $crate::statements::fixed(concat!(
            "SELECT o.run, o.step_no, o.step, o.situation, o.actor, o.reason, o.at_ms, o.username, o.sub, o.row_id, ",
            "c.outcome, c.detail, c.at_ms, o.pool_id, o.attribute, o.table_name, o.process, o.plan ",
            "FROM userlink_journal o LEFT JOIN userlink_journal c ",
            "ON c.run = o.run AND c.step_no = o.step_no AND c.event = 'closed' WHERE o.event = 'opened' AND ",
            $condition,
            $rest
        ))
    };
}

/// The newest first; $1 limit, $2 whose.
macro_rules! newest {
    ($condition:literal) => {
        $crate::statements::journal::steps!($condition, " ORDER BY o.at_ms DESC, o.run, o.step_no DESC LIMIT $1")
    };
}

pub(crate) use {newest, steps};
