-- Two branches, so that a book without telemetry pays with one comparison.
CREATE OR REPLACE MACRO counted_rows(table_name, as_of := NULL) AS TABLE
    FROM as_loaded(table_name, as_of := as_of) WHERE source <> 'otlp'
    UNION ALL
    FROM as_loaded(table_name, as_of := as_of)
    ANTI JOIN (
        SELECT source_key FROM repeated_rows(as_of := as_of) WHERE repeats_in = table_name
    ) AS repeated USING (source_key)
    WHERE source = 'otlp';
COMMENT ON MACRO TABLE counted_rows IS
    'Rows of a table of work as of a load, each fact once: without the telemetry that repeats something else';

-- tests
INSERT INTO communication_log BY NAME
SELECT *, 'assistant' AS role, source_key AS message_id, 9 AS output_tokens, '2025-10-01 00:00:00+00' AS sent_at
FROM (VALUES
    ('msg_1', 'claude-code', 'r1', 1), ('request:r1', 'otlp', 'r1', 2), ('request:r2', 'otlp', 'r2', 2),
    ('otlp:t/1', 'otlp', NULL, 2), ('msg_2', 'codex', NULL, 1)
) v(source_key, source, request_id, load_id);
-- test: what repeats is left out, and everything else is there once
SELECT assert_equal(list(source_key ORDER BY source_key), ['msg_1', 'msg_2', 'otlp:t/1', 'request:r2'])
FROM counted_rows('communication_log');
SELECT assert_equal(list(source_key ORDER BY source_key), ['msg_1', 'msg_2'])
FROM counted_rows('communication_log', as_of := 1);
SELECT assert_equal(count(*), 0::BIGINT) FROM counted_rows('tool_usage');
-- test: without the transcript, telemetry counts
DELETE FROM communication_log WHERE source <> 'otlp';
SELECT assert_equal(count(*), 3::BIGINT) FROM counted_rows('communication_log');
