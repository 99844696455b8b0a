-- Each table summed by project, hours by a window for each, then joined.
WITH counted AS MATERIALIZED (
    SELECT project_id, session_id, agent_id, epoch_us(started_at) AS began, epoch_us(ended_at) AS ended
    FROM work_intervals
    WHERE kind = 'busy' OR epoch_us(ended_at) - epoch_us(started_at) <= 300000000
), hours AS (
    SELECT project_id, sum(agent_us) AS agent_us, sum(session_us) AS session_us, sum(wall_us) AS wall_us
    FROM (
        SELECT project_id, sum(ended - began) AS agent_us, NULL AS session_us, NULL AS wall_us
        FROM counted GROUP BY project_id
        UNION ALL
        SELECT project_id, NULL, sum(ended - greatest(began, coalesce(reached, began))), NULL
        FROM (
            SELECT *, max(ended) OVER (
                PARTITION BY project_id, session_id ORDER BY began ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ) AS reached
            FROM counted
        )
        WHERE reached IS NULL OR reached < ended GROUP BY project_id
        UNION ALL
        SELECT project_id, NULL, NULL, sum(ended - greatest(began, coalesce(reached, began)))
        FROM (
            SELECT *, max(ended) OVER (
                PARTITION BY project_id ORDER BY began ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ) AS reached
            FROM counted
        )
        WHERE reached IS NULL OR reached < ended GROUP BY project_id
    )
    GROUP BY project_id
), keys AS (
    SELECT project_id FROM projects
    UNION SELECT DISTINCT project_id FROM work_sessions
    UNION SELECT DISTINCT project_id FROM node_earnings
), sessions AS (
    SELECT project_id, count(*) AS total_sessions, count(*) FILTER (status = 'failed') AS failed_sessions
    FROM work_sessions GROUP BY project_id
), tasks AS (
    SELECT project_id, count(*) AS total_tasks, count(*) FILTER (success) AS succeeded_tasks
    FROM work_tasks GROUP BY project_id
), changes AS (
    SELECT project_id, sum(lines_added) FILTER (origin = 'edit') AS total_lines_added,
        sum(lines_deleted) FILTER (origin = 'edit') AS total_lines_deleted,
        count(DISTINCT file_path) FILTER (origin = 'edit') AS files_changed
    FROM file_changes GROUP BY project_id
), tools AS (
    SELECT project_id, sum(invocation_count) AS tool_invocations, sum(success_count) AS tool_successes,
        sum(invocation_count) FILTER (success_count IS NULL) AS tool_outcomes_unknown
    FROM tool_usage GROUP BY project_id
), messages AS (
    SELECT project_id, count(*) AS messages,
        sum(input_tokens) + sum(cache_read_tokens) + sum(cache_write_5m_tokens) + sum(cache_write_1h_tokens)
            AS input_tokens,
        sum(output_tokens) AS output_tokens, sum(cost_usd) AS model_cost_usd,
        count(*) FILTER (usage_final = false) AS messages_not_final,
        count(*) FILTER (cost_usd IS NULL AND input_tokens + cache_read_tokens + cache_write_5m_tokens + output_tokens > 0)
            AS unpriced_messages
    FROM communication_log GROUP BY project_id
), errors AS (
    SELECT project_id, count(*) AS errors FROM error_log GROUP BY project_id
), earned AS (
    SELECT project_id, sum(gross_amount_usd) AS earnings_usd
    FROM node_earnings WHERE payment_status <> 'failed' GROUP BY project_id
)
SELECT
    keys.project_id,
    coalesce(total_sessions, 0) AS total_sessions, coalesce(failed_sessions, 0) AS failed_sessions,
    coalesce(total_tasks, 0) AS total_tasks, coalesce(succeeded_tasks, 0) AS succeeded_tasks,
    coalesce(total_lines_added, 0)::BIGINT AS total_lines_added,
    coalesce(total_lines_deleted, 0)::BIGINT AS total_lines_deleted,
    coalesce(files_changed, 0) AS files_changed,
    coalesce(tool_invocations, 0)::BIGINT AS tool_invocations, coalesce(tool_successes, 0)::BIGINT AS tool_successes,
    coalesce(tool_outcomes_unknown, 0)::BIGINT AS tool_outcomes_unknown,
    coalesce(messages, 0) AS messages, coalesce(input_tokens, 0)::BIGINT AS input_tokens,
    coalesce(output_tokens, 0)::BIGINT AS output_tokens,
    coalesce(model_cost_usd, 0)::DECIMAL(38, 12) AS model_cost_usd,
    coalesce(messages_not_final, 0) AS messages_not_final, coalesce(unpriced_messages, 0) AS unpriced_messages,
    coalesce(errors, 0) AS errors,
    coalesce(round(wall_us / 3.6e9, 6), 0)::DECIMAL(38, 6) AS wall_hours,
    coalesce(round(session_us / 3.6e9, 6), 0)::DECIMAL(38, 6) AS session_hours,
    coalesce(round(agent_us / 3.6e9, 6), 0)::DECIMAL(38, 6) AS agent_hours,
    coalesce(earnings_usd, 0)::DECIMAL(38, 12) AS earnings_usd
FROM keys
LEFT JOIN sessions ON keys.project_id IS NOT DISTINCT FROM sessions.project_id
LEFT JOIN tasks ON keys.project_id IS NOT DISTINCT FROM tasks.project_id
LEFT JOIN changes ON keys.project_id IS NOT DISTINCT FROM changes.project_id
LEFT JOIN tools ON keys.project_id IS NOT DISTINCT FROM tools.project_id
LEFT JOIN messages ON keys.project_id IS NOT DISTINCT FROM messages.project_id
LEFT JOIN errors ON keys.project_id IS NOT DISTINCT FROM errors.project_id
LEFT JOIN hours ON keys.project_id IS NOT DISTINCT FROM hours.project_id
LEFT JOIN earned ON keys.project_id IS NOT DISTINCT FROM earned.project_id
