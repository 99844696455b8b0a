-- Every known node has a row; what has no node or an unknown one is unattributed. Lines are those of edits: commits hold
-- the same lines again and stand apart. What is said per hour is said per session hour, on accrual.
CREATE OR REPLACE MACRO node_productivity(
    since := NULL, until := NULL, as_of := NULL, node := NULL, project := NULL, idle_seconds := 300
) AS TABLE
    SELECT
        part AS node_id,
        CASE WHEN known.node_id IS NULL THEN 'unattributed' ELSE coalesce(known.node_name, known.node_id) END
            AS node_name,
        known.node_id IS NOT NULL AS attributed,
        sessions AS total_sessions,
        sessions_completed AS completed_sessions,
        sessions_failed AS failed_sessions,
        sessions_without_time,
        tasks AS total_tasks,
        tasks_completed AS completed_tasks,
        tasks_succeeded AS succeeded_tasks,
        tasks_failed AS failed_tasks,
        percent(tasks_succeeded, tasks_succeeded + tasks_failed) AS task_success_rate_pct,
        changes AS file_changes,
        files_changed,
        changes_without_lines,
        lines_added AS total_lines_added,
        lines_deleted AS total_lines_deleted,
        commit_lines_added,
        commit_lines_deleted,
        tool_invocations,
        tool_successes,
        tool_failures,
        tool_outcomes_unknown,
        percent(tool_failures, tool_successes + tool_failures) AS error_rate_pct,
        errors,
        messages,
        input_tokens,
        output_tokens,
        messages_without_tokens,
        messages_not_final,
        model_cost_usd,
        unpriced_messages,
        hours(wall_us) AS wall_hours,
        hours(session_us) AS session_hours,
        hours(agent_us) AS agent_hours,
        per_hour(lines_added, session_us) AS lines_per_hour,
        per_hour(tasks_completed, session_us) AS tasks_per_hour,
        earnings_usd,
        unpriced_earnings,
        per_hour(earnings_usd, session_us) AS earnings_per_hour
    FROM work_sums(
        node_id, since := since, until := until, as_of := as_of, node := node, project := project,
        idle_seconds := idle_seconds, listed := CASE WHEN project IS NULL THEN 'nodes' END, with_earnings := true
    )
    LEFT JOIN as_loaded('nodes', as_of := as_of) AS known ON part = known.node_id
    ORDER BY completed_tasks DESC, total_sessions DESC, part;
COMMENT ON MACRO TABLE node_productivity IS
    'What every node did, what it took in hours and tokens, and what it earned in an hour, with what is unattributed';
