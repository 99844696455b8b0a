-- A rate is of the invocations of which it is known how they ended, and so is its interval; the others are counted
-- beside. Durations are those of one invocation (the mean of a row that stands for several) and of no person's time;
-- median and 95th percentile are durations that were measured. The classes of errors add up to the failures.
CREATE OR REPLACE MACRO tool_success(
    since := NULL, until := NULL, as_of := NULL, node := NULL, project := NULL
) AS TABLE
    WITH used AS (
        SELECT
            tool_name, tool_category, invocation_count, success_count, error_class,
            invocation_count - success_count AS failed,
            CASE
                WHEN waits_for_person THEN NULL
                WHEN invocation_count = 1 THEN total_duration_ms
                WHEN invocation_count > 1 THEN ratio(total_duration_ms, invocation_count, 3)::DECIMAL(18, 3)
            END AS duration_ms
        FROM event_rows(
            'tool_usage', used_at, since := since, until := until, as_of := as_of, node := node, project := project
        )
    ), sums AS (
        SELECT
            tool_name,
            min(tool_category) AS tool_category,
            sum(invocation_count)::BIGINT AS invocations,
            coalesce(sum(success_count), 0)::BIGINT AS successes,
            coalesce(sum(failed), 0)::BIGINT AS failures,
            coalesce(sum(failed) FILTER (error_class = 'tool'), 0)::BIGINT AS tool_errors,
            coalesce(sum(failed) FILTER (error_class = 'exit_code'), 0)::BIGINT AS exit_code_errors,
            coalesce(sum(failed) FILTER (error_class = 'hook_block'), 0)::BIGINT AS hook_blocks,
            coalesce(sum(failed) FILTER (error_class = 'user_reject'), 0)::BIGINT AS user_rejects,
            coalesce(sum(failed) FILTER (error_class = 'timeout'), 0)::BIGINT AS timeouts,
            coalesce(sum(failed) FILTER (error_class = 'api'), 0)::BIGINT AS api_errors,
            count(duration_ms) AS durations,
            quantile_disc(duration_ms, [0.5, 0.95]) AS middle_and_high
        FROM used
        GROUP BY tool_name
    )
    SELECT
        tool_name,
        tool_category,
        invocations,
        successes,
        failures,
        invocations - successes - failures AS outcomes_unknown,
        percent(successes, successes + failures) AS success_rate_pct,
        wilson(successes, successes + failures, -1) AS success_rate_low_pct,
        wilson(successes, successes + failures, 1) AS success_rate_high_pct,
        tool_errors,
        exit_code_errors,
        hook_blocks,
        user_rejects,
        timeouts,
        api_errors,
        failures - tool_errors - exit_code_errors - hook_blocks - user_rejects - timeouts - api_errors AS other_errors,
        durations,
        middle_and_high[1] AS median_duration_ms,
        middle_and_high[2] AS p95_duration_ms
    FROM sums
    ORDER BY invocations DESC, tool_name;
COMMENT ON MACRO TABLE tool_success IS
    'How often each tool was invoked and succeeded, with the Wilson 95 % interval, why it failed and how long it took';

-- tests
INSERT INTO tool_usage BY NAME
SELECT *, '2025-10-01 00:00:00+00' AS used_at, 's' AS source, usage_id AS source_key, 1 AS load_id
FROM (VALUES
    (1, 'bash', 4, 3, 'exit_code', 400, NULL), (2, 'bash', 1, NULL, NULL, NULL, NULL), (3, 'bash', 1, 0, NULL, 300, NULL),
    (4, 'bash', 1, 1, NULL, 0, NULL), (5, 'bash', 1, 1, NULL, 0, NULL), (6, 'ask', 1, NULL, NULL, 60000, true)
) v(usage_id, tool_name, invocation_count, success_count, error_class, total_duration_ms, waits_for_person);
-- test: rates are of known outcomes, classes add up to the failures
SELECT assert_equal(
    list((tool_name, invocations, successes, failures, outcomes_unknown, success_rate_pct, exit_code_errors, other_errors)),
    [('bash', 8, 5, 2, 1, 71.43, 1, 1), ('ask', 1, 0, 0, 1, NULL, 0, 0)]::STRUCT(
        t VARCHAR, i BIGINT, s BIGINT, f BIGINT, u BIGINT, r DECIMAL(38, 2), e BIGINT, o BIGINT
    )[]
) FROM tool_success();
-- test: durations are of one invocation and of no person
SELECT assert_equal(
    list((durations, median_duration_ms, p95_duration_ms)),
    [(4, 0, 300), (0, NULL, NULL)]::STRUCT(n BIGINT, m DECIMAL(18, 3), p DECIMAL(18, 3))[]
) FROM tool_success();
