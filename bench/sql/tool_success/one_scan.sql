-- One scan, one pass of quantiles.
SELECT
    tool_name, sum(invocation_count)::BIGINT AS invocations, sum(success_count)::BIGINT AS successes,
    sum(invocation_count - success_count)::BIGINT AS failures,
    coalesce(sum(invocation_count - success_count) FILTER (error_class = 'timeout'), 0)::BIGINT AS timeouts,
    coalesce(sum(invocation_count - success_count) FILTER (error_class = 'exit_code'), 0)::BIGINT AS exit_code_errors,
    quantile_disc(total_duration_ms, [0.5, 0.95]) FILTER (waits_for_person IS DISTINCT FROM true)[1]
        AS median_duration_ms,
    quantile_disc(total_duration_ms, [0.5, 0.95]) FILTER (waits_for_person IS DISTINCT FROM true)[2] AS p95_duration_ms
FROM tool_usage
GROUP BY tool_name
