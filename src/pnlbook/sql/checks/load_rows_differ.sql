-- fail: A load's counts are not what stands in the book: rows were lost, or came in past the loader
-- Each row that a load added or gave new content is a version with its number, in the table or, once replaced,
-- in history; each version that it replaced names it in history. An undo that takes rows away puts none in their place.
-- The rows of a log go to several tables.
WITH brought AS (
    SELECT table_name, load_id, count(*) AS versions
    FROM (
        SELECT 'token_prices' AS table_name, load_id FROM token_prices
        UNION ALL SELECT 'model_prices', load_id FROM model_prices
        UNION ALL SELECT 'nodes', load_id FROM nodes
        UNION ALL SELECT 'projects', load_id FROM projects
        UNION ALL SELECT 'deployments', load_id FROM deployments
        UNION ALL SELECT 'deployment_costs', load_id FROM deployment_costs
        UNION ALL SELECT 'arweave_uploads', load_id FROM arweave_uploads
        UNION ALL SELECT 'akash_deployments', load_id FROM akash_deployments
        UNION ALL SELECT 'node_earnings', load_id FROM node_earnings
        UNION ALL SELECT 'marketplace_revenue', load_id FROM marketplace_revenue
        UNION ALL SELECT 'subscription_revenue', load_id FROM subscription_revenue
        UNION ALL SELECT 'work_sessions', load_id FROM work_sessions
        UNION ALL SELECT 'work_tasks', load_id FROM work_tasks
        UNION ALL SELECT 'file_changes', load_id FROM file_changes
        UNION ALL SELECT 'tool_usage', load_id FROM tool_usage
        UNION ALL SELECT 'communication_log', load_id FROM communication_log
        UNION ALL SELECT 'error_log', load_id FROM error_log
        UNION ALL SELECT 'token_prices', load_id FROM token_prices_history
        UNION ALL SELECT 'model_prices', load_id FROM model_prices_history
        UNION ALL SELECT 'nodes', load_id FROM nodes_history
        UNION ALL SELECT 'projects', load_id FROM projects_history
        UNION ALL SELECT 'deployments', load_id FROM deployments_history
        UNION ALL SELECT 'deployment_costs', load_id FROM deployment_costs_history
        UNION ALL SELECT 'arweave_uploads', load_id FROM arweave_uploads_history
        UNION ALL SELECT 'akash_deployments', load_id FROM akash_deployments_history
        UNION ALL SELECT 'node_earnings', load_id FROM node_earnings_history
        UNION ALL SELECT 'marketplace_revenue', load_id FROM marketplace_revenue_history
        UNION ALL SELECT 'subscription_revenue', load_id FROM subscription_revenue_history
        UNION ALL SELECT 'work_sessions', load_id FROM work_sessions_history
        UNION ALL SELECT 'work_tasks', load_id FROM work_tasks_history
        UNION ALL SELECT 'file_changes', load_id FROM file_changes_history
        UNION ALL SELECT 'tool_usage', load_id FROM tool_usage_history
        UNION ALL SELECT 'communication_log', load_id FROM communication_log_history
        UNION ALL SELECT 'error_log', load_id FROM error_log_history
    )
    GROUP BY ALL
),
replaced AS (
    SELECT table_name, superseded_by AS load_id, count(*) AS versions
    FROM (
        SELECT 'token_prices' AS table_name, superseded_by FROM token_prices_history
        UNION ALL SELECT 'model_prices', superseded_by FROM model_prices_history
        UNION ALL SELECT 'nodes', superseded_by FROM nodes_history
        UNION ALL SELECT 'projects', superseded_by FROM projects_history
        UNION ALL SELECT 'deployments', superseded_by FROM deployments_history
        UNION ALL SELECT 'deployment_costs', superseded_by FROM deployment_costs_history
        UNION ALL SELECT 'arweave_uploads', superseded_by FROM arweave_uploads_history
        UNION ALL SELECT 'akash_deployments', superseded_by FROM akash_deployments_history
        UNION ALL SELECT 'node_earnings', superseded_by FROM node_earnings_history
        UNION ALL SELECT 'marketplace_revenue', superseded_by FROM marketplace_revenue_history
        UNION ALL SELECT 'subscription_revenue', superseded_by FROM subscription_revenue_history
        UNION ALL SELECT 'work_sessions', superseded_by FROM work_sessions_history
        UNION ALL SELECT 'work_tasks', superseded_by FROM work_tasks_history
        UNION ALL SELECT 'file_changes', superseded_by FROM file_changes_history
        UNION ALL SELECT 'tool_usage', superseded_by FROM tool_usage_history
        UNION ALL SELECT 'communication_log', superseded_by FROM communication_log_history
        UNION ALL SELECT 'error_log', superseded_by FROM error_log_history
    )
    GROUP BY ALL
),
logs AS (
    SELECT load_id, unnest([
        'work_sessions', 'work_tasks', 'file_changes', 'tool_usage', 'communication_log', 'error_log'
    ]) AS table_name, 'work log' AS home
    FROM loads
    WHERE table_name = 'work log'
),
found AS (
    SELECT load_id, coalesce(home, table_name) AS table_name, sum(versions)::BIGINT AS versions
    FROM brought LEFT JOIN logs USING (load_id, table_name)
    GROUP BY ALL
),
gone AS (
    SELECT load_id, coalesce(home, table_name) AS table_name, sum(versions)::BIGINT AS versions
    FROM replaced LEFT JOIN logs USING (load_id, table_name)
    GROUP BY ALL
)
SELECT
    l.table_name, l.load_id, l.source, l.location, l.status, l.rows_added, l.rows_superseded,
    coalesce(b.versions, 0) AS rows_found, b.table_name AS found_in,
    coalesce(r.versions, 0) AS replaced_found, r.table_name AS replaced_in
FROM loads AS l LEFT JOIN found AS b USING (load_id) LEFT JOIN gone AS r USING (load_id)
WHERE rows_found <> CASE
        WHEN l.status <> 'loaded' OR l.format = 'undo' AND json_extract(l.mapping, '$.restores') IS NULL THEN 0
        ELSE l.rows_added + l.rows_superseded
    END
    OR replaced_found <> CASE WHEN l.status = 'loaded' THEN l.rows_superseded ELSE 0 END
    OR found_in <> l.table_name
    OR replaced_in <> l.table_name
ORDER BY ALL;
