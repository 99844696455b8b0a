-- Telemetry (source 'otlp') may tell what something else in the book tells as well, in whatever order the two were
-- loaded. Its row is the one that repeats:
-- * a request of an agent (request:ID, or event:... without an id) that a transcript has: by the id of the request, or,
--   where one of the two has none, by session and input; a row of a transcript that a span has completed since is of
--   source 'otlp' too;
-- * a prompt of a session whose transcript has prompts;
-- * a span that may be a model call and is not: a call within it names it as its parent;
-- * a tool or an error: the key is the id of the tool's call; without one (event:...), where a transcript tells any of
--   the session.
-- Without telemetry a semi join ends before it reads a message; which side of the other joins is read first is a guess.
CREATE OR REPLACE MACRO repeated_rows(as_of := NULL) AS TABLE
    WITH messages AS NOT MATERIALIZED (
        FROM as_loaded('communication_log', as_of := as_of)
    ), telemetry AS MATERIALIZED (
        FROM messages WHERE source = 'otlp'
    ), requests AS (
        SELECT source_key, session_id, request_id, input_tokens, coalesce(cache_read_tokens, 0) AS cache_read_tokens
        FROM telemetry
        WHERE role = 'assistant' AND (starts_with(source_key, 'request:') OR starts_with(source_key, 'event:'))
    ), prompts AS (
        SELECT source_key, session_id FROM telemetry WHERE role = 'user'
    ), of_requests AS (
        FROM messages SEMI JOIN (SELECT request_id FROM requests) USING (request_id)
    ), of_sessions AS (
        FROM messages SEMI JOIN (SELECT session_id FROM telemetry) USING (session_id)
    )
    SELECT 'communication_log' AS repeats_in, r.source_key
    FROM of_requests AS t
    JOIN requests AS r ON t.request_id = r.request_id
    WHERE t.source <> 'otlp' AND t.output_tokens IS NOT NULL
    UNION ALL
    SELECT 'communication_log', r.source_key
    FROM telemetry AS t
    JOIN requests AS r ON t.request_id = r.request_id
    WHERE NOT starts_with(t.source_key, 'request:') AND t.output_tokens IS NOT NULL
    UNION ALL
    SELECT 'communication_log', r.source_key
    FROM of_sessions AS t
    JOIN requests AS r
        ON t.session_id = r.session_id AND t.input_tokens = r.input_tokens
        AND coalesce(t.cache_read_tokens, 0) = r.cache_read_tokens
    WHERE t.source <> 'otlp' AND t.output_tokens IS NOT NULL AND (t.request_id IS NULL OR r.request_id IS NULL)
    UNION ALL
    SELECT 'communication_log', p.source_key
    FROM of_sessions AS t
    JOIN prompts AS p ON t.session_id = p.session_id
    WHERE t.source <> 'otlp' AND t.role = 'user'
    UNION ALL
    SELECT 'communication_log', parent_message_id FROM telemetry
    UNION ALL
    SELECT 'tool_usage', source_key FROM repeated_events('tool_usage', as_of := as_of)
    UNION ALL
    SELECT 'error_log', source_key FROM repeated_events('error_log', as_of := as_of);
COMMENT ON MACRO TABLE repeated_rows IS
    'Rows of source otlp that repeat what a transcript or a call within a span tells: the table and source_key of each';

-- tests
INSERT INTO communication_log BY NAME
SELECT
    *, CASE WHEN source_key[:2] IN ('m1', 'm3', 'm6', 'm7') THEN 'claude-code' ELSE 'otlp' END AS source,
    source_key AS message_id, '2025-10-01 00:00:00+00' AS sent_at
FROM (VALUES
    ('m1', 's', 'assistant', 'r1', 7, 90, 20, 1), ('request:r1', 's', 'assistant', 'r1', 7, 90, 25, 2),
    ('request:r2', 's', 'assistant', 'r2', 7, 90, 25, 2), ('m3', 's', 'assistant', NULL, 3, NULL, 0, 1),
    ('request:r3', 's', 'assistant', 'r3', 3, 0, 9, 2), ('event:4', 's', 'assistant', NULL, 7, 90, 25, 2),
    ('event:5', 't', 'assistant', NULL, 7, 90, 25, 2), ('m6', 's', 'assistant', 'r6', NULL, NULL, NULL, 1),
    ('request:r6', 's', 'assistant', 'r6', 1, NULL, 1, 2), ('m7', 's', 'user', NULL, NULL, NULL, NULL, 1),
    ('msg_9', 's', 'assistant', 'r9', 8, NULL, 2, 2), ('request:r9', 's', 'assistant', 'r9', 8, NULL, 2, 2),
    ('prompt:7', 's', 'user', NULL, NULL, NULL, NULL, 2), ('prompt:8', 't', 'user', NULL, NULL, NULL, NULL, 2)
) v(source_key, session_id, role, request_id, input_tokens, cache_read_tokens, output_tokens, load_id);
INSERT INTO tool_usage BY NAME
SELECT *, 'Bash' AS tool_name, '2025-10-01 00:00:00+00' AS used_at, 1 AS load_id
FROM (VALUES (1, 's', 'claude-code', 'toolu_1'), (2, 's', 'otlp', 'toolu_1'), (3, 's', 'otlp', 'event:3'))
    v(usage_id, session_id, source, source_key);
-- test: a request that a transcript has repeats it; one that it lacks, or has without tokens, does not; NULLs match none
SELECT assert_equal(
    list(DISTINCT source_key ORDER BY source_key), ['event:4', 'prompt:7', 'request:r1', 'request:r3', 'request:r9']
) FROM repeated_rows() WHERE repeats_in = 'communication_log' AND source_key IS NOT NULL;
-- test: tools and errors, each in their table
SELECT assert_equal(list(DISTINCT source_key ORDER BY source_key), ['event:3', 'toolu_1'])
FROM repeated_rows() WHERE repeats_in = 'tool_usage';
SELECT assert_equal(count(*), 0::BIGINT) FROM repeated_rows() WHERE repeats_in = 'error_log';
-- test: as of a load, what was known by then
SELECT assert_equal(count(source_key), 0::BIGINT)
FROM repeated_rows(as_of := 1) WHERE repeats_in = 'communication_log';
-- test: a span that calls name as their parent repeats them
DELETE FROM communication_log;
INSERT INTO communication_log BY NAME
SELECT
    *, 'assistant' AS role, source_key AS message_id, 'otlp' AS source, 9 AS output_tokens, 1 AS load_id,
    '2025-10-01 00:00:00+00' AS sent_at
FROM (VALUES ('otlp:t/1', NULL), ('otlp:t/2', 'otlp:t/1'), ('otlp:t/3/call', 'otlp:t/2'), ('otlp:t/4/call', 'otlp:t/3'))
    v(source_key, parent_message_id);
SELECT assert_equal(list(DISTINCT source_key ORDER BY source_key), ['otlp:t/1', 'otlp:t/2', 'otlp:t/3'])
FROM repeated_rows() WHERE repeats_in = 'communication_log' AND source_key IS NOT NULL;
