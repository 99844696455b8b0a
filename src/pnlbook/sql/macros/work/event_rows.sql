-- work_rows of messages, tools and errors, which telemetry may repeat.
CREATE OR REPLACE MACRO event_rows(
    table_name, moment, since := NULL, until := NULL, as_of := NULL, node := NULL, project := NULL
) AS TABLE
    SELECT *, local_day(moment) AS day
    FROM counted_rows(table_name, as_of := as_of)
    WHERE in_range(moment, since, until)
        AND (node IS NULL OR node_id = node)
        AND (project IS NULL OR project_id = project);
COMMENT ON MACRO TABLE event_rows IS 'Messages, tools or errors that count, each once and each with its day in the book''s time zone';

-- tests
-- test: of a transcript and its telemetry one counts, in its range and where it is asked for
INSERT INTO tool_usage (usage_id, node_id, project_id, session_id, tool_name, used_at, source, source_key, load_id)
VALUES
    (1, 'a', 'p', 's', 'Bash', '2025-10-01 23:00:00+00', 'claude-code', 'toolu_1', 1),
    (2, 'a', 'p', 's', 'Bash', '2025-10-01 23:00:00+00', 'otlp', 'toolu_1', 1),
    (3, NULL, 'p', 's', 'Bash', '2025-10-02 00:00:00+00', 'otlp', 'toolu_3', 1);
SELECT assert_equal(list((usage_id, day) ORDER BY usage_id), [(1, DATE '2025-10-01'), (3, DATE '2025-10-02')])
FROM event_rows('tool_usage', used_at);
SELECT assert_equal(list(usage_id ORDER BY usage_id), [3]::BIGINT[]) FROM event_rows('tool_usage', used_at, since := '2025-10-02');
SELECT assert_equal(list(usage_id ORDER BY usage_id), [1]::BIGINT[]) FROM event_rows('tool_usage', used_at, node := 'a');
