-- What ran from when to when in each stream. A tool that waits for a person did not run: where it began and where it
-- ended are two instants of their own, the second one the person's. A message of the system tells nothing of who was
-- at work. Clocks that went backwards within a message are taken in order.
CREATE OR REPLACE MACRO work_spans(as_of := NULL, sessions := NULL) AS TABLE
    SELECT
        session_id, coalesce(agent_id, '') AS agent_id, node_id, project_id, role = 'user' AS person,
        CASE WHEN role = 'user' THEN sent_at ELSE least(sent_at, completed_at) END AS started_at,
        CASE WHEN role = 'user' THEN sent_at ELSE greatest(sent_at, completed_at) END AS ended_at
    FROM counted_of_sessions('communication_log', as_of := as_of, sessions := sessions)
    WHERE role <> 'system' AND session_id IS NOT NULL
    UNION ALL
    SELECT
        session_id, coalesce(agent_id, '') AS agent_id, node_id, project_id, false AS person,
        used_at AS started_at,
        CASE WHEN waits_for_person IS DISTINCT FROM true THEN later(used_at, total_duration_ms, 1000) ELSE used_at END
            AS ended_at
    FROM counted_of_sessions('tool_usage', as_of := as_of, sessions := sessions)
    WHERE session_id IS NOT NULL
    UNION ALL
    SELECT
        session_id, coalesce(agent_id, '') AS agent_id, node_id, project_id, true AS person,
        later(used_at, total_duration_ms, 1000) AS started_at, later(used_at, total_duration_ms, 1000) AS ended_at
    FROM counted_of_sessions('tool_usage', as_of := as_of, sessions := sessions)
    WHERE session_id IS NOT NULL AND waits_for_person AND total_duration_ms IS NOT NULL;
COMMENT ON MACRO TABLE work_spans IS
    'What ran in each stream of work, and when a person was heard: spans, of no length where only an instant is known';

-- tests
-- test: a prompt is an instant, a message lasts to its last part, a tool as long as it ran
INSERT INTO communication_log BY NAME
SELECT *, 's' AS source, message_id AS source_key, 1 AS load_id
FROM (VALUES
    ('1', 's', 'user', '2025-10-01 00:00:00+00', '2025-10-01 00:00:09+00'),
    ('2', 's', 'assistant', '2025-10-01 00:00:01+00', '2025-10-01 00:00:03+00'),
    ('3', 's', 'assistant', '2025-10-01 00:00:05+00', '2025-10-01 00:00:04+00'),
    ('4', 's', 'assistant', '2025-10-01 00:00:06+00', NULL), ('5', 's', 'system', '2025-10-01 00:00:07+00', NULL),
    ('6', NULL, 'user', '2025-10-01 00:00:07+00', NULL)
) v(message_id, session_id, role, sent_at, completed_at);
INSERT INTO tool_usage BY NAME
SELECT *, 's' AS session_id, 'bash' AS tool_name, 's' AS source, usage_id AS source_key, 1 AS load_id
FROM (VALUES
    (1, 2000.5, NULL, '2025-10-01 00:01:00+00'), (2, NULL, false, '2025-10-01 00:01:10+00'),
    (3, 0, NULL, '2025-10-01 00:01:20+00')
) v(usage_id, total_duration_ms, waits_for_person, used_at);
SELECT assert_equal(
    list((person, epoch_us(started_at) // 1000 % 3600000, epoch_us(ended_at) // 1000 % 3600000) ORDER BY started_at),
    [
        (true, 0, 0), (false, 1000, 3000), (false, 4000, 5000), (false, 6000, 6000), (false, 60000, 62000),
        (false, 70000, 70000), (false, 80000, 80000)
    ]::STRUCT(p BOOLEAN, s BIGINT, e BIGINT)[]
) FROM work_spans();
-- test: a tool that waits for a person is two instants, one where that is not known to have ended
INSERT INTO tool_usage BY NAME
SELECT *, 's' AS session_id, 'ask' AS tool_name, true AS waits_for_person, 's' AS source, usage_id AS source_key,
    1 AS load_id
FROM (VALUES (1, 5000, '2025-10-01 00:01:00+00'), (2, NULL, '2025-10-01 00:02:00+00'))
    v(usage_id, total_duration_ms, used_at);
SELECT assert_equal(
    list((person, epoch_us(started_at) // 1000000 % 3600) ORDER BY started_at),
    [(false, 60), (true, 65), (false, 120)]::STRUCT(p BOOLEAN, s BIGINT)[]
) FROM work_spans() WHERE started_at = ended_at;
