-- Which plan a step belongs to. Several runs may make the steps of one plan, and each of its steps is done once.
ALTER TABLE userlink_journal ADD COLUMN plan TEXT;
CREATE INDEX userlink_journal_plan ON userlink_journal (plan, step_no);
