-- From the first failure of a tool on a file or command to its next success in the session: what fails in between is
-- the same episode. A result counts when it came; of several at one instant, failures come first. A row of several
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
        FROM as_loaded('tool_usage', as_of := as_of)
        WHERE session_id IS NOT NULL AND subject IS NOT NULL AND invocation_count > 0 AND success_count IS NOT NULL
        UNION ALL
        SELECT session_id, tool_name, subject, node_id, project_id, error_class, false AS success, occurred_at AS moment
        FROM as_loaded('error_log', as_of := as_of)
        WHERE session_id IS NOT NULL AND subject IS NOT NULL AND tool_name IS NOT NULL
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
