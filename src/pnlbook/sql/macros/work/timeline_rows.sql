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
