-- The counterpart of node_productivity. `nodes` had sessions on the project; its first and last session tell from when
-- to when it was worked on.
CREATE OR REPLACE MACRO project_work(
    since := NULL, until := NULL, as_of := NULL, node := NULL, project := NULL, idle_seconds := 300
) AS TABLE
    WITH history AS (
        SELECT
            project_id AS of_project, count(DISTINCT node_id) AS nodes, min(started_at) AS first_session_at,
            max(greatest(started_at, completed_at)) AS last_session_at
        FROM work_rows(
            'work_sessions', started_at, since := since, until := until, as_of := as_of, node := node, project := project
        )
        GROUP BY project_id
    )
    SELECT
        part AS project_id,
        CASE WHEN known.project_id IS NULL THEN 'unattributed' ELSE coalesce(known.project_name, known.project_id) END
            AS project_name,
        known.project_id IS NOT NULL AS attributed,
        coalesce(nodes, 0) AS nodes,
        first_session_at,
        last_session_at,
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
        project_id, since := since, until := until, as_of := as_of, node := node, project := project,
        idle_seconds := idle_seconds, listed := CASE WHEN node IS NULL THEN 'projects' END, with_earnings := true
    )
    LEFT JOIN as_loaded('projects', as_of := as_of) AS known ON part = known.project_id
    LEFT JOIN history ON part IS NOT DISTINCT FROM of_project
    ORDER BY last_session_at DESC NULLS LAST, total_sessions DESC, part;
COMMENT ON MACRO TABLE project_work IS
    'What was done for every project, what it took in hours and tokens, and what its nodes earned in an hour, with what is unattributed';
