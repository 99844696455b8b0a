-- fail: The hours of a session are not those of its rows: run pnlbook worklog rollup
-- The intervals of a stream follow one another without a gap, so their ends and their sum tell of each row's time;
-- what of it is idle is not looked at.
WITH given AS (
    SELECT
        session_id, '' AS agent_id, started_at,
        later(started_at, total_duration_seconds, 1000000) AS ended_at
    FROM work_sessions
    WHERE total_duration_seconds IS NOT NULL
),
spans AS (
    SELECT session_id, agent_id, min(started_at) AS started_at, max(ended_at) AS ended_at
    FROM work_spans() ANTI JOIN given USING (session_id)
    GROUP BY session_id, agent_id
    HAVING min(started_at) < max(ended_at)
),
expected AS (
    FROM given WHERE started_at < ended_at
    UNION ALL
    FROM spans
    UNION ALL
    SELECT session_id, '' AS agent_id, started_at, completed_at AS ended_at
    FROM work_sessions ANTI JOIN spans USING (session_id)
    WHERE total_duration_seconds IS NULL AND started_at < completed_at
),
held AS (
    SELECT
        session_id, agent_id, min(started_at) AS started_at, max(ended_at) AS ended_at,
        sum(epoch_us(ended_at) - epoch_us(started_at)) = epoch_us(max(ended_at)) - epoch_us(min(started_at)) AS whole
    FROM work_intervals
    GROUP BY session_id, agent_id
)
SELECT
    session_id, agent_id, expected.started_at, expected.ended_at,
    held.started_at AS held_started_at, held.ended_at AS held_ended_at, held.whole
FROM expected FULL JOIN held USING (session_id, agent_id)
WHERE expected.started_at IS DISTINCT FROM held.started_at OR expected.ended_at IS DISTINCT FROM held.ended_at
    OR NOT held.whole
ORDER BY ALL;
