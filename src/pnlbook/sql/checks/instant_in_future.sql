-- warn: Something happened in the future: a wrong year, or day and month confused
-- Ends of periods, deployments, leases and projects may be planned, so they are not looked at.
SELECT
    'token_prices' AS table_name, token AS id, source, source_key, source_line, load_id,
    'priced_at' AS column_name, priced_at AS instant
FROM token_prices WHERE priced_at > now() + INTERVAL 1 DAY
UNION ALL
SELECT 'nodes', node_id, source, source_key, source_line, load_id,
    'created_at', created_at
FROM nodes WHERE created_at > now() + INTERVAL 1 DAY
UNION ALL
SELECT 'projects', project_id, source, source_key, source_line, load_id,
    'created_at', created_at
FROM projects WHERE created_at > now() + INTERVAL 1 DAY
UNION ALL
SELECT 'deployments', deployment_id, source, source_key, source_line, load_id,
    'deployed_at', deployed_at
FROM deployments WHERE deployed_at > now() + INTERVAL 1 DAY
UNION ALL
SELECT 'deployment_costs', cost_id::VARCHAR, source, source_key, source_line, load_id,
    'incurred_at', incurred_at
FROM deployment_costs WHERE incurred_at > now() + INTERVAL 1 DAY
UNION ALL
SELECT 'deployment_costs', cost_id::VARCHAR, source, source_key, source_line, load_id,
    'paid_at', paid_at
FROM deployment_costs WHERE paid_at > now() + INTERVAL 1 DAY
UNION ALL
SELECT 'arweave_uploads', upload_id, source, source_key, source_line, load_id,
    'uploaded_at', uploaded_at
FROM arweave_uploads WHERE uploaded_at > now() + INTERVAL 1 DAY
UNION ALL
SELECT 'akash_deployments', akash_id, source, source_key, source_line, load_id,
    'started_at', started_at
FROM akash_deployments WHERE started_at > now() + INTERVAL 1 DAY
UNION ALL
SELECT 'node_earnings', earning_id::VARCHAR, source, source_key, source_line, load_id,
    'earned_at', earned_at
FROM node_earnings WHERE earned_at > now() + INTERVAL 1 DAY
UNION ALL
SELECT 'node_earnings', earning_id::VARCHAR, source, source_key, source_line, load_id,
    'paid_at', paid_at
FROM node_earnings WHERE paid_at > now() + INTERVAL 1 DAY
UNION ALL
SELECT 'marketplace_revenue', revenue_id::VARCHAR, source, source_key, source_line, load_id,
    'collected_at', collected_at
FROM marketplace_revenue WHERE collected_at > now() + INTERVAL 1 DAY
UNION ALL
SELECT 'subscription_revenue', revenue_id::VARCHAR, source, source_key, source_line, load_id,
    'billed_at', billed_at
FROM subscription_revenue WHERE billed_at > now() + INTERVAL 1 DAY
UNION ALL
SELECT 'subscription_revenue', revenue_id::VARCHAR, source, source_key, source_line, load_id,
    'paid_at', paid_at
FROM subscription_revenue WHERE paid_at > now() + INTERVAL 1 DAY
UNION ALL
SELECT 'work_sessions', session_id, source, source_key, source_line, load_id,
    'started_at', started_at
FROM work_sessions WHERE started_at > now() + INTERVAL 1 DAY
UNION ALL
SELECT 'work_sessions', session_id, source, source_key, source_line, load_id,
    'completed_at', completed_at
FROM work_sessions WHERE completed_at > now() + INTERVAL 1 DAY
UNION ALL
SELECT 'work_tasks', task_id, source, source_key, source_line, load_id,
    'started_at', started_at
FROM work_tasks WHERE started_at > now() + INTERVAL 1 DAY
UNION ALL
SELECT 'work_tasks', task_id, source, source_key, source_line, load_id,
    'completed_at', completed_at
FROM work_tasks WHERE completed_at > now() + INTERVAL 1 DAY
UNION ALL
SELECT 'file_changes', change_id::VARCHAR, source, source_key, source_line, load_id,
    'changed_at', changed_at
FROM file_changes WHERE changed_at > now() + INTERVAL 1 DAY
UNION ALL
SELECT 'tool_usage', usage_id::VARCHAR, source, source_key, source_line, load_id,
    'used_at', used_at
FROM tool_usage WHERE used_at > now() + INTERVAL 1 DAY
UNION ALL
SELECT 'communication_log', message_id, source, source_key, source_line, load_id,
    'sent_at', sent_at
FROM communication_log WHERE sent_at > now() + INTERVAL 1 DAY
UNION ALL
SELECT 'error_log', error_id::VARCHAR, source, source_key, source_line, load_id,
    'occurred_at', occurred_at
FROM error_log WHERE occurred_at > now() + INTERVAL 1 DAY
UNION ALL
SELECT 'error_log', error_id::VARCHAR, source, source_key, source_line, load_id,
    'resolved_at', resolved_at
FROM error_log WHERE resolved_at > now() + INTERVAL 1 DAY
ORDER BY ALL;
