-- One for both tables, as they are alike in what says so.
CREATE OR REPLACE MACRO repeated_events(table_name, as_of := NULL) AS TABLE
    WITH events AS NOT MATERIALIZED (
        FROM as_loaded(table_name, as_of := as_of)
    ), telemetry AS MATERIALIZED (
        FROM events WHERE source = 'otlp'
    )
    SELECT o.source_key
    FROM (FROM events SEMI JOIN (SELECT source_key FROM telemetry) USING (source_key)) AS t
    JOIN telemetry AS o ON t.source_key = o.source_key
    WHERE t.source <> 'otlp'
    UNION ALL
    SELECT o.source_key
    FROM (FROM events SEMI JOIN (SELECT session_id FROM telemetry) USING (session_id)) AS t
    JOIN telemetry AS o ON t.session_id = o.session_id
    WHERE t.source <> 'otlp' AND starts_with(o.source_key, 'event:');
COMMENT ON MACRO TABLE repeated_events IS
    'Rows of tool_usage or error_log of source otlp that repeat a transcript: the source_key of each';

-- tests
INSERT INTO error_log BY NAME
SELECT *, 'x' AS error_type, '2025-10-01 00:00:00+00' AS occurred_at
FROM (VALUES
    (1, 's', 'claude-code', 'toolu_1', 1), (2, 's', 'otlp', 'toolu_1', 2), (3, 's', 'otlp', 'toolu_2', 2),
    (4, 's', 'otlp', 'event:4', 2), (5, 't', 'otlp', 'event:5', 2), (6, NULL, 'otlp', 'event:6', 2),
    (7, NULL, 'codex', 'call_7', 1)
) v(error_id, session_id, source, source_key, load_id);
-- test: by the id of the call, or by session where there is none; a NULL session is that of no transcript
SELECT assert_equal(list(DISTINCT source_key ORDER BY source_key), ['event:4', 'toolu_1'])
FROM repeated_events('error_log');
-- test: as of a load, what was known by then
SELECT assert_equal(count(*), 0::BIGINT) FROM repeated_events('error_log', as_of := 1);
-- test: telemetry alone repeats nothing
DELETE FROM error_log WHERE source <> 'otlp';
SELECT assert_equal(count(*), 0::BIGINT) FROM repeated_events('error_log');
