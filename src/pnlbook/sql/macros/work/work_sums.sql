-- All figures of work come from here, so they agree with one another. Each table is summed to the grain before tables
-- meet: a join of rows would multiply sums. `part` is an expression over node_id, project_id and, with `daily`, day.
-- A sum is 0 where there was no row, and NULL where there were rows but none with a known number.
-- A tool or task of which it is not known whether it succeeded is neither a success nor a failure.
-- `listed` names a table, nodes or projects, of which every one has a row whatever it did; `with_earnings` adds what was
-- earned (accrual).
CREATE OR REPLACE MACRO work_sums(
    part, since := NULL, until := NULL, as_of := NULL, node := NULL, project := NULL, idle_seconds := 300, daily := false,
    listed := NULL, with_earnings := false
) AS TABLE
    WITH sums AS (
        SELECT
            part AS of_part,
            count(*) AS sessions,
            count(*) FILTER (status = 'completed') AS sessions_completed,
            count(*) FILTER (status = 'failed') AS sessions_failed
        FROM work_rows(
            'work_sessions', started_at,
            since := since, until := until, as_of := as_of, node := node, project := project)
        GROUP BY ALL HAVING count(*) > 0
        UNION ALL BY NAME
        SELECT part AS of_part, count(*) AS sessions_without_time
        FROM timeless_sessions(since := since, until := until, as_of := as_of, node := node, project := project)
        GROUP BY ALL HAVING count(*) > 0
        UNION ALL BY NAME
        SELECT
            part AS of_part,
            count(*) AS tasks,
            count(*) FILTER (status = 'completed') AS tasks_completed,
            count(*) FILTER (task_outcome(success, status)) AS tasks_succeeded,
            count(*) FILTER (NOT task_outcome(success, status)) AS tasks_failed
        FROM work_rows(
            'work_tasks', started_at,
            since := since, until := until, as_of := as_of, node := node, project := project)
        GROUP BY ALL HAVING count(*) > 0
        UNION ALL BY NAME
        SELECT
            part AS of_part,
            count(*) AS changes,
            count(*) FILTER (lines_added IS NULL OR lines_deleted IS NULL) AS changes_without_lines,
            known_sum(lines_added, origin IS DISTINCT FROM 'commit') AS lines_added,
            known_sum(lines_deleted, origin IS DISTINCT FROM 'commit') AS lines_deleted,
            known_sum(lines_added, origin = 'commit') AS commit_lines_added,
            known_sum(lines_deleted, origin = 'commit') AS commit_lines_deleted
        FROM work_rows(
            'file_changes', changed_at,
            since := since, until := until, as_of := as_of, node := node, project := project)
        GROUP BY ALL HAVING count(*) > 0
        UNION ALL BY NAME
        SELECT of_part, count(*) AS files_changed
        FROM (
            SELECT DISTINCT part AS of_part, file_path
            FROM work_rows(
                'file_changes', changed_at,
                since := since, until := until, as_of := as_of, node := node, project := project)
            WHERE origin IS DISTINCT FROM 'commit'
        )
        GROUP BY of_part
        UNION ALL BY NAME
        SELECT
            part AS of_part,
            sum(invocation_count) AS tool_invocations,
            sum(CASE WHEN success_count IS NULL THEN invocation_count ELSE 0 END) AS tool_outcomes_unknown,
            sum(success_count) AS tool_successes
        FROM event_rows(
            'tool_usage', used_at,
            since := since, until := until, as_of := as_of, node := node, project := project)
        GROUP BY ALL HAVING count(*) > 0
        UNION ALL BY NAME
        SELECT
            part AS of_part,
            count(*) AS messages,
            count(*) FILTER (role = 'assistant' AND output_tokens IS NULL) AS messages_without_tokens,
            count(*) FILTER (usage_final = false) AS messages_not_final,
            count(*) FILTER (cost_usd IS NULL AND greatest(
                input_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, output_tokens
            ) > 0) AS unpriced_messages,
            known_total(
                sum(input_tokens), sum(cache_read_tokens), sum(cache_write_5m_tokens), sum(cache_write_1h_tokens)
            ) AS input_tokens,
            sum(output_tokens) AS output_tokens,
            sum(cost_usd) AS model_cost_usd
        FROM event_rows(
            'communication_log', sent_at,
            since := since, until := until, as_of := as_of, node := node, project := project)
        GROUP BY ALL HAVING count(*) > 0
        UNION ALL BY NAME
        SELECT part AS of_part, count(*) AS errors, count(*) FILTER (resolved) AS errors_resolved
        FROM event_rows(
            'error_log', occurred_at,
            since := since, until := until, as_of := as_of, node := node, project := project)
        GROUP BY ALL HAVING count(*) > 0
        UNION ALL BY NAME
        SELECT of_part, wall_us, session_us, agent_us
        FROM work_hours(
            part, since := since, until := until, as_of := as_of, node := node, project := project,
            idle_seconds := idle_seconds, daily := daily)
        UNION ALL BY NAME
        SELECT
            part AS of_part,
            count(*) AS earnings,
            sum(revenue_usd) AS earnings_usd,
            count(*) - count(revenue_usd) AS unpriced_earnings
        FROM (
            SELECT *, NULL::DATE AS day
            FROM earning_rows(since := since, until := until, as_of := as_of, node := node, project := project)
        )
        WHERE with_earnings
        GROUP BY ALL HAVING count(*) > 0
        UNION ALL BY NAME
        SELECT part AS of_part
        FROM (SELECT *, NULL::DATE AS day FROM as_loaded(coalesce(listed, 'work_tasks'), as_of := as_of))
        WHERE listed IS NOT NULL AND (coalesce(node, project) IS NULL OR (part)::VARCHAR = coalesce(node, project))
    )
    SELECT
        of_part AS part,
        coalesce(sum(sessions), 0)::BIGINT AS sessions,
        coalesce(sum(sessions_completed), 0)::BIGINT AS sessions_completed,
        coalesce(sum(sessions_failed), 0)::BIGINT AS sessions_failed,
        coalesce(sum(sums.sessions_without_time), 0)::BIGINT AS sessions_without_time,
        coalesce(sum(tasks), 0)::BIGINT AS tasks,
        coalesce(sum(tasks_completed), 0)::BIGINT AS tasks_completed,
        coalesce(sum(tasks_succeeded), 0)::BIGINT AS tasks_succeeded,
        coalesce(sum(tasks_failed), 0)::BIGINT AS tasks_failed,
        coalesce(sum(changes), 0)::BIGINT AS changes,
        coalesce(sum(changes_without_lines), 0)::BIGINT AS changes_without_lines,
        coalesce(sum(files_changed), 0)::BIGINT AS files_changed,
        zero_without(sum(changes), sum(lines_added))::BIGINT AS lines_added,
        zero_without(sum(changes), sum(lines_deleted))::BIGINT AS lines_deleted,
        zero_without(sum(changes), sum(commit_lines_added))::BIGINT AS commit_lines_added,
        zero_without(sum(changes), sum(commit_lines_deleted))::BIGINT AS commit_lines_deleted,
        coalesce(sum(tool_invocations), 0)::BIGINT AS tool_invocations,
        coalesce(sum(sums.tool_outcomes_unknown), 0)::BIGINT AS tool_outcomes_unknown,
        coalesce(sum(sums.tool_successes), 0)::BIGINT AS tool_successes,
        coalesce(
            sum(sums.tool_invocations) - sum(sums.tool_outcomes_unknown) - coalesce(sum(sums.tool_successes), 0), 0
        )::BIGINT AS tool_failures,
        coalesce(sum(messages), 0)::BIGINT AS messages,
        coalesce(sum(messages_without_tokens), 0)::BIGINT AS messages_without_tokens,
        coalesce(sum(messages_not_final), 0)::BIGINT AS messages_not_final,
        coalesce(sum(unpriced_messages), 0)::BIGINT AS unpriced_messages,
        zero_without(sum(messages), sum(input_tokens))::BIGINT AS input_tokens,
        zero_without(sum(messages), sum(output_tokens))::BIGINT AS output_tokens,
        zero_without(sum(messages), sum(model_cost_usd))::DECIMAL(38, 12) AS model_cost_usd,
        coalesce(sum(errors), 0)::BIGINT AS errors,
        coalesce(sum(errors_resolved), 0)::BIGINT AS errors_resolved,
        known_time(sum(wall_us), sum(sums.sessions_without_time)) AS wall_us,
        known_time(sum(session_us), sum(sums.sessions_without_time)) AS session_us,
        known_time(sum(agent_us), sum(sums.sessions_without_time)) AS agent_us,
        zero_without(sum(earnings), sum(earnings_usd))::DECIMAL(38, 12) AS earnings_usd,
        coalesce(sum(unpriced_earnings), 0)::BIGINT AS unpriced_earnings
    FROM sums
    GROUP BY of_part;
COMMENT ON MACRO TABLE work_sums IS
    'Sessions, tasks, changes, tools, messages, errors and hours by any grain; what the work macros are made of';

-- tests
INSERT INTO nodes (node_id, node_name, source, source_key, load_id)
VALUES ('a', 'Ada', 's', 'a', 1), ('b', NULL, 's', 'b', 1);
INSERT INTO projects (project_id, project_name, source, source_key, load_id) VALUES ('p', 'Portal', 's', 'p', 1);
INSERT INTO work_sessions BY NAME
SELECT *, 's' AS source, session_id AS source_key, 1 AS load_id
FROM (VALUES
    ('one', 'a', 'p', 'completed', '2025-10-01 08:00:00+00', '2025-10-01 09:00:00+00', 3600),
    ('two', 'a', 'p', 'failed', '2025-10-01 08:30:00+00', '2025-10-01 09:30:00+00', 3600),
    ('three', 'x', NULL, 'in_progress', '2025-10-02 08:00:00+00', NULL, NULL)
) v(session_id, node_id, project_id, status, started_at, completed_at, total_duration_seconds);
INSERT INTO work_tasks BY NAME
SELECT *, 's' AS source, task_id AS source_key, 1 AS load_id
FROM (VALUES
    ('1', 'a', 'p', 'completed', true, '2025-10-01 08:00:00+00'), ('2', 'a', 'p', 'completed', NULL, '2025-10-01 08:00:00+00'),
    ('3', 'a', 'p', 'failed', NULL, '2025-10-01 08:40:00+00'), ('4', NULL, 'p', 'in_progress', NULL, '2025-10-02 08:00:00+00')
) v(task_id, node_id, project_id, status, success, started_at);
INSERT INTO file_changes BY NAME
SELECT *, 'modified' AS change_type, 's' AS source, change_id AS source_key, 1 AS load_id
FROM (VALUES
    (1, 'a', 'p', 'f', 'edit', 100, 10, '2025-10-01 08:10:00+00'), (2, 'a', 'p', 'f', 'edit', 20, 0, '2025-10-01 08:20:00+00'),
    (3, 'a', 'p', 'g', 'edit', NULL, NULL, '2025-10-01 08:30:00+00'), (4, 'a', 'p', 'f', 'commit', 120, 10, '2025-10-01 09:00:00+00')
) v(change_id, node_id, project_id, file_path, origin, lines_added, lines_deleted, changed_at);
INSERT INTO tool_usage BY NAME
SELECT *, 's' AS source, usage_id AS source_key, 1 AS load_id
FROM (VALUES
    (1, 'a', 'p', 'bash', 5, 4, '2025-10-01 08:10:00+00'), (2, 'a', 'p', 'bash', 1, NULL, '2025-10-01 08:11:00+00'),
    (3, NULL, NULL, 'edit', 1, 0, '2025-10-01 08:12:00+00')
) v(usage_id, node_id, project_id, tool_name, invocation_count, success_count, used_at);
INSERT INTO communication_log BY NAME
SELECT *, 's' AS source, message_id AS source_key, 1 AS load_id
FROM (VALUES
    ('1', 'a', 'p', 'user', NULL, NULL, NULL, NULL, NULL, '2025-10-01 08:00:00+00'),
    ('2', 'a', 'p', 'assistant', 10, 500, 30, true, 0.25, '2025-10-01 08:01:00+00'),
    ('3', 'a', 'p', 'assistant', 10, NULL, 30, false, NULL, '2025-10-01 08:02:00+00'),
    ('4', 'a', 'p', 'assistant', NULL, NULL, NULL, NULL, NULL, '2025-10-01 08:03:00+00')
) v(message_id, node_id, project_id, role, input_tokens, cache_read_tokens, output_tokens, usage_final, cost_usd, sent_at);
INSERT INTO node_earnings BY NAME
SELECT *, gross_amount_usd AS amount_usd, 1 AS token_amount, 'milestone' AS payment_type, 'paid' AS payment_status,
    '2025-10-01 00:00:00+00' AS earned_at, 's' AS source, earning_id AS source_key, 1 AS load_id
FROM (VALUES (1, 'a', 'p', 100.00, NULL), (2, 'y', NULL, NULL, 'SOL'))
    v(earning_id, node_id, project_id, gross_amount_usd, token);
INSERT INTO work_intervals BY NAME FROM work_timeline();

-- test: each table is summed by itself
SELECT assert_equal(
    list((part, sessions, sessions_without_time, tasks, tasks_succeeded, tasks_failed, changes, lines_added,
        commit_lines_added, changes_without_lines, files_changed) ORDER BY part NULLS LAST),
    [('a', 2, 0, 3, 1, 1, 4, 120, 120, 1, 2), ('x', 1, 1, 0, 0, 0, 0, 0, 0, 0, 0), (NULL, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0)]
        ::STRUCT(
            p VARCHAR, s BIGINT, w BIGINT, t BIGINT, o BIGINT, f BIGINT, c BIGINT, l BIGINT, k BIGINT, u BIGINT, d BIGINT
        )[]
) FROM work_sums(node_id);
-- test: what is not known is not zero, and what was not there is
SELECT assert_equal(
    list((part, tool_invocations, tool_successes, tool_failures, tool_outcomes_unknown, messages, input_tokens,
        output_tokens, model_cost_usd, unpriced_messages) ORDER BY part NULLS LAST),
    [('a', 6, 4, 1, 1, 4, 520, 60, 0.25, 1), ('x', 0, 0, 0, 0, 0, 0, 0, 0, 0), (NULL, 1, 0, 1, 0, 0, 0, 0, 0, 0)]
        ::STRUCT(
            p VARCHAR, i BIGINT, s BIGINT, f BIGINT, u BIGINT, m BIGINT, t BIGINT, o BIGINT, c DECIMAL(38, 12), r BIGINT
        )[]
) FROM work_sums(node_id);
SELECT assert_equal(list((part, session_us) ORDER BY part NULLS LAST), [('a', 7200000000), ('x', NULL), (NULL, 0)])
FROM work_sums(node_id);
SELECT assert_equal(
    (changes, lines_added, messages, input_tokens, model_cost_usd),
    (1, NULL, 1, NULL, NULL)::STRUCT(c BIGINT, l BIGINT, m BIGINT, i BIGINT, u DECIMAL(38, 12))
) FROM (
    SELECT sum(changes)::BIGINT AS changes, sum(nullif(lines_added, 0))::BIGINT AS lines_added,
        sum(messages)::BIGINT AS messages, sum(nullif(input_tokens, 0))::BIGINT AS input_tokens,
        sum(nullif(model_cost_usd, 0))::DECIMAL(38, 12) AS model_cost_usd
    FROM (
        FROM work_sums(NULL, since := '2025-10-01 08:03', until := '2025-10-01 08:04')
        UNION ALL FROM work_sums(NULL, since := '2025-10-01 08:30', until := '2025-10-01 08:31')
    )
);
-- test: listed ones have a row, and earnings are added where they are asked for
SELECT assert_equal(
    list((part, earnings_usd, unpriced_earnings) ORDER BY part NULLS LAST),
    [('a', 100, 0), ('b', 0, 0), ('x', 0, 0), ('y', NULL, 1), (NULL, 0, 0)]
        ::STRUCT(p VARCHAR, e DECIMAL(38, 12), u BIGINT)[]
) FROM work_sums(node_id, listed := 'nodes', with_earnings := true);
