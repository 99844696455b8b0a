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

-- tests
-- test: without a duration, an end or an interval
INSERT INTO work_sessions BY NAME
SELECT *, 's' AS source, session_id AS source_key, 1 AS load_id
FROM (VALUES
    ('given', 0, '2025-10-01 00:00:00+00', NULL), ('ended', NULL, '2025-10-01 00:00:00+00', '2025-10-01 00:00:00+00'),
    ('backwards', NULL, '2025-10-01 00:00:01+00', '2025-10-01 00:00:00+00'), ('open', NULL, '2025-10-02 00:00:00+00', NULL),
    ('worked', NULL, '2025-10-02 00:00:00+00', NULL)
) v(session_id, total_duration_seconds, started_at, completed_at);
INSERT INTO work_intervals (session_id, started_at, ended_at, kind)
VALUES ('worked', '2025-10-02 00:00:00+00', '2025-10-02 00:10:00+00', 'busy');
SELECT assert_equal(list(session_id ORDER BY session_id), ['backwards', 'open']) FROM timeless_sessions();
SELECT assert_equal(list(session_id ORDER BY session_id), ['open']) FROM timeless_sessions(since := '2025-10-02');
