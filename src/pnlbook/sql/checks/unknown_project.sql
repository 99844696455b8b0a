-- warn: Rows name a project that the book does not know: they count as unattributed
SELECT project_id, table_name, rows
FROM (
    SELECT 'deployments' AS table_name, project_id, count(*) AS rows FROM deployments GROUP BY project_id
    UNION ALL SELECT 'deployment_costs', project_id, count(*) FROM deployment_costs GROUP BY project_id
    UNION ALL SELECT 'arweave_uploads', project_id, count(*) FROM arweave_uploads GROUP BY project_id
    UNION ALL SELECT 'akash_deployments', project_id, count(*) FROM akash_deployments GROUP BY project_id
    UNION ALL SELECT 'node_earnings', project_id, count(*) FROM node_earnings GROUP BY project_id
    UNION ALL SELECT 'marketplace_revenue', project_id, count(*) FROM marketplace_revenue GROUP BY project_id
    UNION ALL SELECT 'work_sessions', project_id, count(*) FROM work_sessions GROUP BY project_id
    UNION ALL SELECT 'work_tasks', project_id, count(*) FROM work_tasks GROUP BY project_id
    UNION ALL SELECT 'file_changes', project_id, count(*) FROM file_changes GROUP BY project_id
    UNION ALL SELECT 'tool_usage', project_id, count(*) FROM tool_usage GROUP BY project_id
    UNION ALL SELECT 'communication_log', project_id, count(*) FROM communication_log GROUP BY project_id
    UNION ALL SELECT 'error_log', project_id, count(*) FROM error_log GROUP BY project_id
) ANTI JOIN projects USING (project_id)
WHERE project_id IS NOT NULL
ORDER BY ALL;
