-- Hours leave these sessions out, so they are counted beside them.
CREATE OR REPLACE MACRO timeless_sessions(
    since := NULL, until := NULL, as_of := NULL, node := NULL, project := NULL
) AS TABLE
    SELECT *
    FROM work_rows(
        'work_sessions', started_at, since := since, until := until, as_of := as_of, node := node, project := project
    )
    ANTI JOIN (SELECT session_id FROM timeline_rows(as_of := as_of)) AS timed USING (session_id)
    WHERE total_duration_seconds IS NULL AND NOT coalesce(completed_at >= started_at, false);
COMMENT ON MACRO TABLE timeless_sessions IS
    'Sessions of whose time nothing is known: no duration, no end, and no two instants in their rows';
