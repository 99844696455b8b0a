-- warn: Rows name a node that the book does not know: they count as unattributed
SELECT node_id, table_name, rows
FROM (
    SELECT 'deployments' AS table_name, node_id, count(*) AS rows FROM deployments GROUP BY node_id
    UNION ALL SELECT 'deployment_costs', node_id, count(*) FROM deployment_costs GROUP BY node_id
    UNION ALL SELECT 'arweave_uploads', node_id, count(*) FROM arweave_uploads GROUP BY node_id
    UNION ALL SELECT 'akash_deployments', node_id, count(*) FROM akash_deployments GROUP BY node_id
    UNION ALL SELECT 'node_earnings', node_id, count(*) FROM node_earnings GROUP BY node_id
    UNION ALL SELECT 'work_sessions', node_id, count(*) FROM work_sessions GROUP BY node_id
    UNION ALL SELECT 'work_tasks', node_id, count(*) FROM work_tasks GROUP BY node_id
    UNION ALL SELECT 'file_changes', node_id, count(*) FROM file_changes GROUP BY node_id
    UNION ALL SELECT 'tool_usage', node_id, count(*) FROM tool_usage GROUP BY node_id
    UNION ALL SELECT 'communication_log', node_id, count(*) FROM communication_log GROUP BY node_id
    UNION ALL SELECT 'error_log', node_id, count(*) FROM error_log GROUP BY node_id
) ANTI JOIN nodes USING (node_id)
WHERE node_id IS NOT NULL
ORDER BY ALL;
