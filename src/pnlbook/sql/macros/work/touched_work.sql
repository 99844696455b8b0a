-- A load changes what is made of the rows that it brought and of the versions that it replaced: a row may have left
-- its session or its day. `timed` rows bear on the time of their session. Whether a row of telemetry counts may depend
-- on what else is known of its session, so its day is touched with the session.
CREATE OR REPLACE MACRO touched_work(first_load) AS TABLE
    WITH brought AS (
        SELECT session_id, started_at AS moment, true AS timed FROM work_sessions WHERE load_id >= first_load
        UNION ALL SELECT session_id, started_at, true FROM work_sessions_history WHERE superseded_by >= first_load
        UNION ALL SELECT session_id, sent_at, true FROM communication_log WHERE load_id >= first_load
        UNION ALL SELECT session_id, sent_at, true FROM communication_log_history WHERE superseded_by >= first_load
        UNION ALL SELECT session_id, used_at, true FROM tool_usage WHERE load_id >= first_load
        UNION ALL SELECT session_id, used_at, true FROM tool_usage_history WHERE superseded_by >= first_load
        UNION ALL SELECT session_id, started_at, false FROM work_tasks WHERE load_id >= first_load
        UNION ALL SELECT session_id, started_at, false FROM work_tasks_history WHERE superseded_by >= first_load
        UNION ALL SELECT session_id, changed_at, false FROM file_changes WHERE load_id >= first_load
        UNION ALL SELECT session_id, changed_at, false FROM file_changes_history WHERE superseded_by >= first_load
        UNION ALL SELECT session_id, occurred_at, false FROM error_log WHERE load_id >= first_load
        UNION ALL SELECT session_id, occurred_at, false FROM error_log_history WHERE superseded_by >= first_load
    ), telemetry AS (
        SELECT session_id, sent_at AS moment, true AS timed FROM communication_log WHERE source = 'otlp'
        UNION ALL SELECT session_id, used_at, true FROM tool_usage WHERE source = 'otlp'
        UNION ALL SELECT session_id, occurred_at, false FROM error_log WHERE source = 'otlp'
    )
    SELECT DISTINCT session_id, timed, local_day(moment) AS day
    FROM (FROM brought UNION ALL FROM telemetry SEMI JOIN brought USING (session_id));
COMMENT ON MACRO TABLE touched_work IS 'Sessions and days of work that a load, or a later one, brought or replaced rows of';

-- tests
-- test: rows that a load brought and versions that it replaced, with their days
INSERT INTO tool_usage (usage_id, session_id, tool_name, used_at, source, source_key, load_id)
VALUES
    (1, 'old', 'bash', '2025-10-01 00:00:00+00', 's', '1', 1), (2, 'new', 'bash', '2025-10-02 00:00:00+00', 's', '2', 2),
    (3, 'new', 'bash', '2025-10-02 00:00:00+00', 's', '3', 3);
INSERT INTO tool_usage_history BY NAME
SELECT * REPLACE ('left' AS session_id), 2 AS superseded_by FROM tool_usage WHERE usage_id = 2;
UPDATE tool_usage_history SET load_id = 1, used_at = '2025-09-30 00:00:00+00';
INSERT INTO error_log (error_id, error_type, occurred_at, source, source_key, load_id)
VALUES (1, 'x', '2025-10-03 00:00:00+00', 's', '1', 2);
SELECT assert_equal(
    list((session_id, timed, day) ORDER BY day),
    [('left', true, '2025-09-30'), ('new', true, '2025-10-02'), (NULL, false, '2025-10-03')]
        ::STRUCT(s VARCHAR, t BOOLEAN, d DATE)[]
) FROM touched_work(2);
SELECT assert_equal(list(session_id), ['new']) FROM touched_work(3);
SELECT assert_equal(count(*), 0::BIGINT) FROM touched_work(4);
-- test: telemetry of a session that a load touched may count no more, on its day
INSERT INTO tool_usage (usage_id, session_id, tool_name, used_at, source, source_key, load_id)
VALUES
    (5, 'new', 'bash', '2025-10-05 00:00:00+00', 'otlp', '5', 1),
    (6, 'other', 'bash', '2025-10-06 00:00:00+00', 'otlp', '6', 1), (7, 'new', 'bash', '2025-10-07 00:00:00+00', 's', '7', 9);
SELECT assert_equal(list(day ORDER BY day), ['2025-10-05', '2025-10-07']::DATE[]) FROM touched_work(9);
