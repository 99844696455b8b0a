CREATE OR REPLACE VIEW backup_costs_summary AS
SELECT *, size_bytes * 0.000000001::DECIMAL(10, 9) AS total_gb_stored, cost_usd AS total_cost_usd FROM backup_costs();
COMMENT ON VIEW backup_costs_summary IS 'Number, stored size (GB: 10^9 bytes) and cost of backups by month and type';
