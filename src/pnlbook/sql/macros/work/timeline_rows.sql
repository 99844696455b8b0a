-- As of a load, the time is made from the rows of then, which takes as long as it took when they were loaded; now, it
-- stands in work_intervals. The branch that the constant rules out is not run.
CREATE OR REPLACE MACRO timeline_rows(as_of := NULL) AS TABLE
    SELECT session_id, agent_id, started_at, ended_at, kind, node_id, project_id
    FROM work_intervals
    WHERE as_of IS NULL
    UNION ALL
    SELECT session_id, agent_id, started_at, ended_at, kind, node_id, project_id
    FROM work_timeline(as_of := as_of)
    WHERE as_of IS NOT NULL;
COMMENT ON MACRO TABLE timeline_rows IS 'Intervals of work as they were right after load as_of; by default as they stand';

-- tests
-- test: now they stand in work_intervals, as of a load they are made from the rows
INSERT INTO work_sessions (session_id, started_at, total_duration_seconds, source, source_key, load_id)
VALUES ('s', '2025-10-01 00:00:00+00', 60, 's', 's', 1);
SELECT assert_equal(count(*), 0::BIGINT) FROM timeline_rows();
SELECT assert_equal(list((session_id, kind)), [('s', 'busy')]) FROM timeline_rows(as_of := 1);
SELECT assert_equal(count(*), 0::BIGINT) FROM timeline_rows(as_of := 0);
INSERT INTO work_intervals BY NAME FROM work_timeline();
SELECT assert_equal(list((session_id, kind)), [('s', 'busy')]) FROM timeline_rows();
