-- fail: A replaced version names no load that replaced it, or one that is not later than its own
SELECT
    h.*,
    CASE WHEN l.load_id IS NULL THEN 'the superseding load is unknown' ELSE 'superseded by no later load' END AS what
FROM (
    SELECT 'token_prices_history' AS table_name, token AS id, source, source_key, load_id, superseded_by
    FROM token_prices_history
    UNION ALL SELECT 'model_prices_history', price_id, source, source_key, load_id, superseded_by
    FROM model_prices_history
    UNION ALL SELECT 'nodes_history', node_id, source, source_key, load_id, superseded_by
    FROM nodes_history
    UNION ALL SELECT 'projects_history', project_id, source, source_key, load_id, superseded_by
    FROM projects_history
    UNION ALL SELECT 'deployments_history', deployment_id, source, source_key, load_id, superseded_by
    FROM deployments_history
    UNION ALL SELECT 'deployment_costs_history', cost_id::VARCHAR, source, source_key, load_id, superseded_by
    FROM deployment_costs_history
    UNION ALL SELECT 'arweave_uploads_history', upload_id, source, source_key, load_id, superseded_by
    FROM arweave_uploads_history
    UNION ALL SELECT 'akash_deployments_history', akash_id, source, source_key, load_id, superseded_by
    FROM akash_deployments_history
    UNION ALL SELECT 'node_earnings_history', earning_id::VARCHAR, source, source_key, load_id, superseded_by
    FROM node_earnings_history
    UNION ALL SELECT 'marketplace_revenue_history', revenue_id::VARCHAR, source, source_key, load_id, superseded_by
    FROM marketplace_revenue_history
    UNION ALL SELECT 'subscription_revenue_history', revenue_id::VARCHAR, source, source_key, load_id, superseded_by
    FROM subscription_revenue_history
    UNION ALL SELECT 'work_sessions_history', session_id, source, source_key, load_id, superseded_by
    FROM work_sessions_history
    UNION ALL SELECT 'work_tasks_history', task_id, source, source_key, load_id, superseded_by
    FROM work_tasks_history
    UNION ALL SELECT 'file_changes_history', change_id::VARCHAR, source, source_key, load_id, superseded_by
    FROM file_changes_history
    UNION ALL SELECT 'tool_usage_history', usage_id::VARCHAR, source, source_key, load_id, superseded_by
    FROM tool_usage_history
    UNION ALL SELECT 'communication_log_history', message_id, source, source_key, load_id, superseded_by
    FROM communication_log_history
    UNION ALL SELECT 'error_log_history', error_id::VARCHAR, source, source_key, load_id, superseded_by
    FROM error_log_history
) AS h LEFT JOIN loads AS l ON l.load_id = h.superseded_by
WHERE l.load_id IS NULL OR h.superseded_by <= h.load_id
ORDER BY ALL;
