-- The head of a report. Money is that of what has known hours: what a rig earns without ever logging an hour says
-- nothing of an hour's work, so it is left out and told beside.
CREATE OR REPLACE MACRO work_figures(
    since := NULL, until := NULL, basis := 'accrual', as_of := NULL, node := NULL, project := NULL, idle_seconds := 300
) AS TABLE
    WITH worked AS (
        FROM work_sums(
            NULL, since := since, until := until, as_of := as_of, node := node, project := project,
            idle_seconds := idle_seconds
        )
    ), money AS (
        SELECT
            sum(total_revenue_usd) FILTER (session_us > 0)::DECIMAL(38, 12) AS revenue_usd,
            sum(net_profit_usd) FILTER (session_us > 0)::DECIMAL(38, 12) AS profit_usd,
            coalesce(sum(unpriced_rows) FILTER (session_us > 0), 0)::BIGINT AS unpriced_rows,
            sum(total_revenue_usd) FILTER (NOT coalesce(session_us > 0, false))::DECIMAL(38, 12)
                AS revenue_without_hours_usd
        FROM profit_hours(
            node_id, since := since, until := until, basis := basis, as_of := as_of, node := node, project := project,
            idle_seconds := idle_seconds
        )
    ), models AS (
        SELECT
            sum(cost_usd)::DECIMAL(38, 12) AS model_cost_usd,
            coalesce(sum(used.messages), 0)::BIGINT AS model_messages,
            coalesce(sum(used.unpriced_messages), 0)::BIGINT AS unpriced_messages,
            coalesce(sum(used.messages_not_final), 0)::BIGINT AS messages_not_final,
            coalesce(sum(used.messages_without_tokens), 0)::BIGINT AS messages_without_tokens,
            coalesce(bool_or(at_least), false) AS at_least
        FROM model_costs(since := since, until := until, as_of := as_of, node := node, project := project) AS used
    )
    SELECT
        coalesce(sessions, 0) AS sessions,
        coalesce(worked.sessions_without_time, 0) AS sessions_without_time,
        hours(known_time(wall_us, worked.sessions_without_time)) AS wall_hours,
        hours(known_time(session_us, worked.sessions_without_time)) AS session_hours,
        hours(known_time(agent_us, worked.sessions_without_time)) AS agent_hours,
        coalesce(worked.tasks, 0) AS tasks,
        coalesce(tasks_succeeded, 0) AS tasks_succeeded,
        coalesce(tasks_failed, 0) AS tasks_failed,
        percent(tasks_succeeded, tasks_succeeded + tasks_failed) AS task_success_rate_pct,
        revenue_usd,
        profit_usd,
        unpriced_rows,
        revenue_without_hours_usd,
        per_hour(revenue_usd, wall_us) AS revenue_per_wall_hour,
        per_hour(revenue_usd, session_us) AS revenue_per_session_hour,
        per_hour(revenue_usd, agent_us) AS revenue_per_agent_hour,
        per_hour(profit_usd, wall_us) AS profit_per_wall_hour,
        per_hour(profit_usd, session_us) AS profit_per_session_hour,
        per_hour(profit_usd, agent_us) AS profit_per_agent_hour,
        zero_without(nullif(model_messages, 0), models.model_cost_usd)::DECIMAL(38, 12) AS model_cost_usd,
        model_messages,
        models.unpriced_messages,
        models.messages_not_final,
        models.messages_without_tokens,
        at_least
    FROM money CROSS JOIN models LEFT JOIN worked ON true;
COMMENT ON MACRO TABLE work_figures IS
    'Hours of work in all, what one of them earned and left, tasks and model costs: the head of a report';

-- tests
INSERT INTO nodes (node_id, node_name, source, source_key, load_id) VALUES ('a', 'Ada', 's', 'a', 1);
INSERT INTO work_sessions BY NAME
SELECT *, 's' AS source, session_id AS source_key, 1 AS load_id
FROM (VALUES
    ('1', 'a', 'completed', 7200, '2025-10-01 08:00:00+00'), ('2', 'b', 'completed', 3600, '2025-10-01 09:00:00+00'),
    ('3', 'a', 'in_progress', NULL, '2025-10-02 09:00:00+00'), ('4', 'a', 'completed', 0, '2025-10-03 09:00:00+00')
) v(session_id, node_id, status, total_duration_seconds, started_at);
INSERT INTO work_intervals BY NAME FROM work_timeline();
INSERT INTO node_earnings BY NAME
SELECT *, amount_usd AS gross_amount_usd, 1 AS token_amount, 'milestone' AS payment_type, 'paid' AS payment_status,
    's' AS source, earning_id AS source_key, 1 AS load_id
FROM (VALUES
    (1, 'a', 30.00, NULL, '2025-10-01 00:00:00+00'), (2, 'rig', 1000.00, NULL, '2025-10-01 00:00:00+00'),
    (3, 'b', NULL, 'SOL', '2025-10-01 00:00:00+00')
) v(earning_id, node_id, amount_usd, token, earned_at);
INSERT INTO communication_log BY NAME
SELECT *, 'assistant' AS role, 's' AS source, message_id AS source_key, 1 AS load_id
FROM (VALUES
    ('1', 'a', 5, 1.50, NULL, '2025-10-01 08:00:00+00'), ('2', 'a', 5, 1.50, true, '2025-10-01 08:00:00+00'),
    ('3', 'a', 5, NULL, false, '2025-10-01 08:00:00+00'), ('4', 'a', NULL, NULL, NULL, '2025-11-01 08:00:00+00'),
    ('5', 'a', 0, 0.00, NULL, '2025-10-01 08:00:00+00')
) v(message_id, node_id, output_tokens, cost_usd, usage_final, sent_at);
-- test: hours of overlapping sessions; sessions without a known time are counted
SELECT assert_equal(
    (sessions, sessions_without_time, wall_hours, session_hours, agent_hours),
    (4, 1, 2, 3, 3)::STRUCT(s BIGINT, u BIGINT, w DECIMAL(38, 6), h DECIMAL(38, 6), a DECIMAL(38, 6))
) FROM work_figures(until := '2025-11-01');
-- test: an hour's money is that of nodes with known hours; the rig's is told beside, an unknown amount counted
SELECT assert_equal(
    (revenue_usd, profit_usd, revenue_without_hours_usd, unpriced_rows, revenue_per_session_hour, revenue_per_wall_hour,
        profit_per_session_hour),
    (30, 27, 1000, 2, 10, 15, 9)::STRUCT(
        r DECIMAL(38, 12), p DECIMAL(38, 12), o DECIMAL(38, 12), u BIGINT, s DECIMAL(38, 2), w DECIMAL(38, 2),
        q DECIMAL(38, 2)
    )
) FROM work_figures(until := '2025-11-01');
-- test: model costs are at least what is known of them
SELECT assert_equal(
    (model_cost_usd, model_messages, unpriced_messages, messages_not_final, messages_without_tokens, at_least),
    (3, 4, 1, 1, 0, true)::STRUCT(c DECIMAL(38, 12), m BIGINT, u BIGINT, f BIGINT, t BIGINT, l BOOLEAN)
) FROM work_figures(until := '2025-11-01');
SELECT assert_equal((model_cost_usd, messages_without_tokens), (NULL, 1)::STRUCT(c DECIMAL(38, 12), t BIGINT))
FROM work_figures(since := '2025-11-01');
-- test: without any work hours are zero, and nothing is said of an hour
SELECT assert_equal(
    (sessions, wall_hours, revenue_per_session_hour, model_cost_usd, at_least, task_success_rate_pct),
    (0, 0, NULL, 0, false, NULL)::STRUCT(
        s BIGINT, h DECIMAL(38, 6), r DECIMAL(38, 2), c DECIMAL(38, 12), l BOOLEAN, p DECIMAL(38, 2)
    )
) FROM work_figures(until := '2025-01-01');
-- test: without a known time there are no hours, not zero
SELECT assert_equal((session_hours, profit_per_session_hour), (NULL, NULL)::STRUCT(h DECIMAL(38, 6), p DECIMAL(38, 2)))
FROM work_figures(since := '2025-10-02', until := '2025-10-03');
