-- warn: A backup that is kept needs another that was removed, cannot be restored or is not known: make a full backup
WITH kept AS (
    SELECT backup_id, created_at, needs FROM arweave_backups WHERE restorable AND removed_at IS NULL
)
SELECT backup_id, created_at, needed_id
FROM (SELECT backup_id, created_at, unnest(needs) AS needed_id FROM kept)
    ANTI JOIN (SELECT backup_id AS needed_id FROM kept) USING (needed_id)
ORDER BY ALL;
