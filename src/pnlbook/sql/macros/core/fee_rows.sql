-- A fee is collected when it is recorded, so both bases agree on it; it belongs to no node.
CREATE OR REPLACE MACRO fee_rows(
    since := NULL, until := NULL, basis := 'accrual', as_of := NULL, node := NULL, project := NULL
) AS TABLE
    SELECT
        revenue_id, NULL::VARCHAR AS node_id, project_id, fee_type AS kind, collected_at AS counted_at,
        amount_usd AS revenue_usd, source, source_key, source_line, load_id
    FROM as_loaded('marketplace_revenue', as_of := as_of)
    WHERE in_range(collected_at, since, until)
        AND node IS NULL
        AND (project IS NULL OR project_id = project);
COMMENT ON MACRO TABLE fee_rows IS 'Marketplace fees that count';
