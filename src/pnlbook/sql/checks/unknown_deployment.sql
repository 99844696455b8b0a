-- warn: Costs, uploads or leases name a deployment that the book does not know
SELECT deployment_id, table_name, rows
FROM (
    SELECT 'deployment_costs' AS table_name, deployment_id, count(*) AS rows
    FROM deployment_costs GROUP BY deployment_id
    UNION ALL SELECT 'arweave_uploads', deployment_id, count(*)
    FROM arweave_uploads GROUP BY deployment_id
    UNION ALL SELECT 'akash_deployments', deployment_id, count(*)
    FROM akash_deployments GROUP BY deployment_id
) ANTI JOIN deployments USING (deployment_id)
WHERE deployment_id IS NOT NULL
ORDER BY ALL;
