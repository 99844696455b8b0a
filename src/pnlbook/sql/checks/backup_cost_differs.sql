-- fail: A backup costs something else than its copies together: the profit and loss counts the cost of the backup
-- Where the cost of a copy is not known, there is nothing to compare.
WITH copies AS (
    SELECT backup_id, count(*) AS copies, sum(cost_usd) AS copies_usd
    FROM backup_copies
    GROUP BY backup_id
    HAVING count(*) = count(cost_usd)
)
SELECT backup_id, created_at, copies, copies_usd, cost_usd
FROM copies JOIN (SELECT backup_id, created_at, cost_usd FROM arweave_backups) USING (backup_id)
WHERE copies_usd IS DISTINCT FROM cost_usd
ORDER BY ALL;
