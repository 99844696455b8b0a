-- Changes summed by origin and class; session hours by one window.
WITH counted AS (
    SELECT session_id, epoch_us(started_at) AS began, epoch_us(ended_at) AS ended
    FROM work_intervals
    WHERE kind = 'busy' OR epoch_us(ended_at) - epoch_us(started_at) <= 300000000
), spent AS (
    SELECT sum(ended - greatest(began, coalesce(reached, began))) AS session_us
    FROM (
        SELECT *, max(ended) OVER (
            PARTITION BY session_id ORDER BY began ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS reached
        FROM counted
    )
    WHERE reached IS NULL OR reached < ended
)
SELECT
    origin, file_class, count(*) AS changes, count(DISTINCT file_path) AS files, sum(lines_added)::BIGINT AS lines_added,
    sum(lines_deleted)::BIGINT AS lines_deleted,
    (SELECT round(session_us / 3.6e9, 6)::DECIMAL(38, 6) FROM spent) AS session_hours
FROM file_changes
GROUP BY origin, file_class
