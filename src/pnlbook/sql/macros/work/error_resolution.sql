-- The median is over what was resolved, a duration that was measured; what never was is counted beside it.
CREATE OR REPLACE MACRO error_resolution(
    since := NULL, until := NULL, as_of := NULL, node := NULL, project := NULL, by_tool := false, by_class := false
) AS TABLE
    SELECT
        CASE WHEN by_tool THEN tool_name END AS tool_name,
        CASE WHEN by_class THEN error_class END AS error_class,
        count(*) AS episodes,
        sum(failures)::BIGINT AS failures,
        count(resolved_at) AS resolved,
        count(*) - count(resolved_at) AS unresolved,
        percent(count(*) - count(resolved_at), count(*)) AS unresolved_pct,
        quantile_disc(seconds, 0.5) AS median_seconds
    FROM error_episodes(since := since, until := until, as_of := as_of, node := node, project := project)
    GROUP BY ALL HAVING count(*) > 0
    ORDER BY episodes DESC, tool_name, error_class;
COMMENT ON MACRO TABLE error_resolution IS
    'How long failures took to be resolved and how many never were, in all or by tool or class of error';

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

-- test: the median of what was resolved, the share of what was not
SELECT assert_equal(
    list((episodes, failures, resolved, unresolved, unresolved_pct, median_seconds)),
    [(3, 5, 2, 1, 33.33, 21)]::STRUCT(e BIGINT, f BIGINT, r BIGINT, u BIGINT, p DECIMAL(38, 2), m DECIMAL(18, 6))[]
) FROM error_resolution();
-- test: by tool, and nothing without an episode
SELECT assert_equal(
    list((tool_name, episodes, median_seconds)),
    [('bash', 2, 21), ('deploy', 1, 60)]::STRUCT(t VARCHAR, e BIGINT, m DECIMAL(18, 6))[]
) FROM error_resolution(by_tool := true);
SELECT assert_equal(count(*), 0::BIGINT) FROM error_resolution(until := '2025-01-01');
