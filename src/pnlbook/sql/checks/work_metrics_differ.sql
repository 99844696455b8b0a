-- fail: The metrics of a day are not those of its rows: run pnlbook worklog rollup
WITH made AS (
    SELECT 'rows' AS said_by, * FROM work_daily()
),
held AS (
    SELECT 'work_metrics_daily' AS said_by, * EXCLUDE (computed_at) FROM work_metrics_daily
),
same AS (
    SELECT * EXCLUDE (said_by) FROM made INTERSECT SELECT * EXCLUDE (said_by) FROM held
)
SELECT said_by, day, node_id, project_id, sessions, tasks, session_seconds, tool_invocations, messages, errors
FROM (FROM made UNION ALL FROM held) ANTI JOIN same USING (day, node_id, project_id)
ORDER BY day, node_id, project_id, said_by;
