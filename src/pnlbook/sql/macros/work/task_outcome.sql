-- A source that tells no success but a status still tells a failure.
CREATE OR REPLACE MACRO task_outcome(success, status) AS (
    CASE WHEN success IS NOT NULL THEN success WHEN status = 'failed' THEN false END
);
COMMENT ON MACRO task_outcome IS 'Whether a task succeeded; NULL: not known';

-- tests
-- test: what was said of success holds, then a failed status; else it is not known
SELECT assert_equal(
    list(task_outcome(success, status) ORDER BY line), [true, false, false, true, NULL, NULL]
) FROM (VALUES
    (1, true, 'completed'), (2, false, 'completed'), (3, NULL, 'failed'), (4, true, 'failed'), (5, NULL, 'completed'),
    (6, NULL, 'in_progress')
) r(line, success, status);
