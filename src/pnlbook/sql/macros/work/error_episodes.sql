-- From the first failure of a tool on a file or command to its next success in the session: what fails in between is
-- the same episode. What its source calls resolved is, from then on. A result counts when it came; of several at one instant, failures come first. A row of several
-- invocations of which one succeeded is a success. Without a session or a subject it is not known what the next success
-- would be of; with an unknown outcome, whether it is one.
-- The range is that of the first failure, so episodes do not depend on where ranges begin.
CREATE OR REPLACE MACRO error_episodes(
    since := NULL, until := NULL, as_of := NULL, node := NULL, project := NULL
) AS TABLE
    WITH results AS (
        SELECT
            session_id, tool_name, subject, node_id, project_id, error_class, success_count > 0 AS success,
            later(used_at, total_duration_ms, 1000) AS moment
        FROM counted_rows('tool_usage', as_of := as_of)
        WHERE session_id IS NOT NULL AND subject IS NOT NULL AND invocation_count > 0 AND success_count IS NOT NULL
        UNION ALL
        SELECT session_id, tool_name, subject, node_id, project_id, error_class, false AS success, occurred_at AS moment
        FROM counted_rows('error_log', as_of := as_of)
        WHERE session_id IS NOT NULL AND subject IS NOT NULL AND tool_name IS NOT NULL
        UNION ALL
        SELECT session_id, tool_name, subject, node_id, project_id, error_class, true AS success, resolved_at AS moment
        FROM as_loaded('error_log', as_of := as_of)
        WHERE session_id IS NOT NULL AND subject IS NOT NULL AND tool_name IS NOT NULL AND resolved
            AND resolved_at >= occurred_at
    ), failing AS (
        SELECT DISTINCT session_id, tool_name, subject FROM results WHERE NOT success
    ), ordered AS (
        SELECT
            *,
            coalesce(lag(success) OVER things, true) AS fresh,
            min(CASE WHEN success THEN moment END) OVER (things ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)
                AS resolved_at,
            count(*) FILTER (NOT success) OVER (things ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS failures_on
        FROM results SEMI JOIN failing USING (session_id, tool_name, subject)
        WINDOW things AS (
            PARTITION BY session_id, tool_name, subject
            ORDER BY moment, success, error_class, node_id, project_id
        )
    )
    SELECT
        session_id, tool_name, subject, error_class, node_id, project_id, moment AS failed_at, resolved_at,
        ((epoch_us(resolved_at) - epoch_us(moment)) * 0.000001::DECIMAL(7, 6))::DECIMAL(18, 6) AS seconds,
        failures
    FROM (
        SELECT *, failures_on - coalesce(lead(failures_on) OVER (
            PARTITION BY session_id, tool_name, subject ORDER BY moment
        ), 0) AS failures
        FROM ordered
        WHERE NOT success AND fresh
    )
    WHERE in_range(moment, since, until)
        AND (node IS NULL OR node_id = node)
        AND (project IS NULL OR project_id = project)
    ORDER BY failed_at, session_id, tool_name, subject;
COMMENT ON MACRO TABLE error_episodes IS
    'Failures of a tool on a file or command, each from its first to the next success in the session, if any';

-- tests
INSERT INTO tool_usage BY NAME
SELECT *, 'bash' AS tool_name, 's' AS source, usage_id AS source_key, 1 AS load_id
FROM (VALUES
    (1, 's', 'npm test', 0, 1000, '2025-10-01 00:00:00+00'), (2, 's', 'npm test', 0, 1000, '2025-10-01 00:00:10+00'),
    (3, 's', 'npm test', NULL, 1000, '2025-10-01 00:00:15+00'), (4, 's', 'npm test', 1, 2000, '2025-10-01 00:00:20+00'),
    (5, 's', 'npm test', 0, 1000, '2025-10-01 00:01:00+00'), (6, 's', 'make', 1, 1000, '2025-10-01 00:02:00+00'),
    (7, 't', 'npm test', 1, 1000, '2025-10-01 00:02:00+00'), (8, 't', NULL, 0, 1000, '2025-10-01 00:03:00+00')
) v(usage_id, session_id, subject, success_count, total_duration_ms, used_at);
INSERT INTO error_log (
    error_id, session_id, error_type, tool_name, subject, resolved, resolved_at, occurred_at, source, source_key, load_id
)
VALUES
    (1, 's', 'x', 'bash', 'npm test', NULL, NULL, '2025-10-01 00:00:01+00', 's', '1', 1),
    (2, 's', 'x', 'deploy', 'akash', true, '2025-10-01 00:05:00+00', '2025-10-01 00:04:00+00', 's', '2', 1);

-- test: from the first failure to the next success in the session, what fails in between within
SELECT assert_equal(
    list((session_id, tool_name, subject, seconds, failures)),
    [('s', 'bash', 'npm test', 21, 3), ('s', 'bash', 'npm test', NULL, 1), ('s', 'deploy', 'akash', 60, 1)]
        ::STRUCT(s VARCHAR, t VARCHAR, j VARCHAR, d DECIMAL(18, 6), f BIGINT)[]
) FROM error_episodes();
-- test: an episode belongs to the range of its first failure, whatever came before or after
SELECT assert_equal(list(seconds), [60]::DECIMAL(18, 6)[]) FROM error_episodes(since := '2025-10-01 00:04');
SELECT assert_equal(list(seconds), [21]::DECIMAL(18, 6)[]) FROM error_episodes(until := '2025-10-01 00:00:05');
SELECT assert_equal(count(*), 0::BIGINT)
FROM error_episodes(since := '2025-10-01 00:00:05', until := '2025-10-01 00:00:59');
