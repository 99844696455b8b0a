CREATE OR REPLACE MACRO timed_sessions(since := NULL, until := NULL) AS TABLE
    SELECT DISTINCT session_id
    FROM (
        SELECT session_id FROM work_sessions WHERE in_range(started_at, since, until)
        UNION ALL SELECT session_id FROM communication_log WHERE in_range(sent_at, since, until)
        UNION ALL SELECT session_id FROM tool_usage WHERE in_range(used_at, since, until)
        UNION ALL SELECT session_id FROM work_intervals
        WHERE (since IS NULL OR ended_at > instant(since)) AND (until IS NULL OR started_at < instant(until))
    )
    WHERE session_id IS NOT NULL;
COMMENT ON MACRO TABLE timed_sessions IS 'Sessions that rows of a range belong to whose time is known or could be';

-- tests
-- test: each session once that has a row or an interval in the range
INSERT INTO work_sessions (session_id, started_at, source, source_key, load_id)
VALUES ('a', '2025-10-01 00:00:00+00', 's', 'a', 1);
INSERT INTO tool_usage (usage_id, session_id, tool_name, used_at, source, source_key, load_id)
VALUES
    (1, 'a', 'bash', '2025-10-01 00:00:00+00', 's', '1', 1), (2, 'b', 'bash', '2025-10-02 00:00:00+00', 's', '2', 2),
    (3, NULL, 'bash', '2025-10-02 00:00:00+00', 's', '3', 3);
INSERT INTO work_intervals (session_id, started_at, ended_at, kind)
VALUES ('c', '2025-10-01 23:00:00+00', '2025-10-02 01:00:00+00', 'busy');
SELECT assert_equal(list(session_id ORDER BY session_id), ['a', 'b', 'c']) FROM timed_sessions();
SELECT assert_equal(list(session_id ORDER BY session_id), ['b', 'c']) FROM timed_sessions(since := '2025-10-02');
