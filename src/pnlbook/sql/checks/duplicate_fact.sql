-- fail: One key of a source stands twice in a table: the fact is counted twice
SELECT
    'deployment_costs' AS table_name, source, source_key, count(*) AS rows,
    min(cost_id) AS first_id, max(cost_id) AS last_id,
    min(load_id) AS first_load_id, max(load_id) AS last_load_id
FROM deployment_costs GROUP BY source, source_key HAVING count(*) > 1
UNION ALL
SELECT
    'node_earnings' AS table_name, source, source_key, count(*) AS rows,
    min(earning_id) AS first_id, max(earning_id) AS last_id,
    min(load_id) AS first_load_id, max(load_id) AS last_load_id
FROM node_earnings GROUP BY source, source_key HAVING count(*) > 1
UNION ALL
SELECT
    'marketplace_revenue' AS table_name, source, source_key, count(*) AS rows,
    min(revenue_id) AS first_id, max(revenue_id) AS last_id,
    min(load_id) AS first_load_id, max(load_id) AS last_load_id
FROM marketplace_revenue GROUP BY source, source_key HAVING count(*) > 1
UNION ALL
SELECT
    'subscription_revenue' AS table_name, source, source_key, count(*) AS rows,
    min(revenue_id) AS first_id, max(revenue_id) AS last_id,
    min(load_id) AS first_load_id, max(load_id) AS last_load_id
FROM subscription_revenue GROUP BY source, source_key HAVING count(*) > 1
UNION ALL
SELECT
    'file_changes' AS table_name, source, source_key, count(*) AS rows,
    min(change_id) AS first_id, max(change_id) AS last_id,
    min(load_id) AS first_load_id, max(load_id) AS last_load_id
FROM file_changes GROUP BY source, source_key HAVING count(*) > 1
UNION ALL
SELECT
    'tool_usage' AS table_name, source, source_key, count(*) AS rows,
    min(usage_id) AS first_id, max(usage_id) AS last_id,
    min(load_id) AS first_load_id, max(load_id) AS last_load_id
FROM tool_usage GROUP BY source, source_key HAVING count(*) > 1
UNION ALL
SELECT
    'error_log' AS table_name, source, source_key, count(*) AS rows,
    min(error_id) AS first_id, max(error_id) AS last_id,
    min(load_id) AS first_load_id, max(load_id) AS last_load_id
FROM error_log GROUP BY source, source_key HAVING count(*) > 1
ORDER BY ALL;
