-- fail: A row names a load that the book does not know: nobody can tell where it came from
SELECT 'token_prices' AS table_name, token AS id, source, source_key, load_id
FROM token_prices ANTI JOIN loads USING (load_id)
UNION ALL
SELECT 'token_prices_history', token, source, source_key, load_id
FROM token_prices_history ANTI JOIN loads USING (load_id)
UNION ALL
SELECT 'model_prices', price_id, source, source_key, load_id
FROM model_prices ANTI JOIN loads USING (load_id)
UNION ALL
SELECT 'model_prices_history', price_id, source, source_key, load_id
FROM model_prices_history ANTI JOIN loads USING (load_id)
UNION ALL
SELECT 'nodes', node_id, source, source_key, load_id
FROM nodes ANTI JOIN loads USING (load_id)
UNION ALL
SELECT 'nodes_history', node_id, source, source_key, load_id
FROM nodes_history ANTI JOIN loads USING (load_id)
UNION ALL
SELECT 'projects', project_id, source, source_key, load_id
FROM projects ANTI JOIN loads USING (load_id)
UNION ALL
SELECT 'projects_history', project_id, source, source_key, load_id
FROM projects_history ANTI JOIN loads USING (load_id)
UNION ALL
SELECT 'deployments', deployment_id, source, source_key, load_id
FROM deployments ANTI JOIN loads USING (load_id)
UNION ALL
SELECT 'deployments_history', deployment_id, source, source_key, load_id
FROM deployments_history ANTI JOIN loads USING (load_id)
UNION ALL
SELECT 'deployment_costs', cost_id::VARCHAR, source, source_key, load_id
FROM deployment_costs ANTI JOIN loads USING (load_id)
UNION ALL
SELECT 'deployment_costs_history', cost_id::VARCHAR, source, source_key, load_id
FROM deployment_costs_history ANTI JOIN loads USING (load_id)
UNION ALL
SELECT 'arweave_uploads', upload_id, source, source_key, load_id
FROM arweave_uploads ANTI JOIN loads USING (load_id)
UNION ALL
SELECT 'arweave_uploads_history', upload_id, source, source_key, load_id
FROM arweave_uploads_history ANTI JOIN loads USING (load_id)
UNION ALL
SELECT 'akash_deployments', akash_id, source, source_key, load_id
FROM akash_deployments ANTI JOIN loads USING (load_id)
UNION ALL
SELECT 'akash_deployments_history', akash_id, source, source_key, load_id
FROM akash_deployments_history ANTI JOIN loads USING (load_id)
UNION ALL
SELECT 'node_earnings', earning_id::VARCHAR, source, source_key, load_id
FROM node_earnings ANTI JOIN loads USING (load_id)
UNION ALL
SELECT 'node_earnings_history', earning_id::VARCHAR, source, source_key, load_id
FROM node_earnings_history ANTI JOIN loads USING (load_id)
UNION ALL
SELECT 'marketplace_revenue', revenue_id::VARCHAR, source, source_key, load_id
FROM marketplace_revenue ANTI JOIN loads USING (load_id)
UNION ALL
SELECT 'marketplace_revenue_history', revenue_id::VARCHAR, source, source_key, load_id
FROM marketplace_revenue_history ANTI JOIN loads USING (load_id)
UNION ALL
SELECT 'subscription_revenue', revenue_id::VARCHAR, source, source_key, load_id
FROM subscription_revenue ANTI JOIN loads USING (load_id)
UNION ALL
SELECT 'subscription_revenue_history', revenue_id::VARCHAR, source, source_key, load_id
FROM subscription_revenue_history ANTI JOIN loads USING (load_id)
UNION ALL
SELECT 'work_sessions', session_id, source, source_key, load_id
FROM work_sessions ANTI JOIN loads USING (load_id)
UNION ALL
SELECT 'work_sessions_history', session_id, source, source_key, load_id
FROM work_sessions_history ANTI JOIN loads USING (load_id)
UNION ALL
SELECT 'work_tasks', task_id, source, source_key, load_id
FROM work_tasks ANTI JOIN loads USING (load_id)
UNION ALL
SELECT 'work_tasks_history', task_id, source, source_key, load_id
FROM work_tasks_history ANTI JOIN loads USING (load_id)
UNION ALL
SELECT 'file_changes', change_id::VARCHAR, source, source_key, load_id
FROM file_changes ANTI JOIN loads USING (load_id)
UNION ALL
SELECT 'file_changes_history', change_id::VARCHAR, source, source_key, load_id
FROM file_changes_history ANTI JOIN loads USING (load_id)
UNION ALL
SELECT 'tool_usage', usage_id::VARCHAR, source, source_key, load_id
FROM tool_usage ANTI JOIN loads USING (load_id)
UNION ALL
SELECT 'tool_usage_history', usage_id::VARCHAR, source, source_key, load_id
FROM tool_usage_history ANTI JOIN loads USING (load_id)
UNION ALL
SELECT 'communication_log', message_id, source, source_key, load_id
FROM communication_log ANTI JOIN loads USING (load_id)
UNION ALL
SELECT 'communication_log_history', message_id, source, source_key, load_id
FROM communication_log_history ANTI JOIN loads USING (load_id)
UNION ALL
SELECT 'error_log', error_id::VARCHAR, source, source_key, load_id
FROM error_log ANTI JOIN loads USING (load_id)
UNION ALL
SELECT 'error_log_history', error_id::VARCHAR, source, source_key, load_id
FROM error_log_history ANTI JOIN loads USING (load_id)
ORDER BY ALL;
