-- Backups are recorded by pnlbook itself and not loaded; as of a load means made by the time it was committed.
-- They belong to no node and no project, and both bases agree on them.
CREATE OR REPLACE MACRO backup_rows(
    since := NULL, until := NULL, basis := 'accrual', as_of := NULL, node := NULL, project := NULL
) AS TABLE
    SELECT
        backup_id, NULL::VARCHAR AS node_id, NULL::VARCHAR AS project_id, 'backup' AS kind,
        created_at AS counted_at, cost_usd
    FROM arweave_backups
    WHERE in_range(created_at, since, until)
        AND (as_of IS NULL OR created_at <= (SELECT max(committed_at) FROM loads WHERE load_id <= as_of))
        AND node IS NULL
        AND project IS NULL;
COMMENT ON MACRO TABLE backup_rows IS 'Costs of backups that count';
