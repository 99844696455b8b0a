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

-- tests
-- test: fees count when collected, on both bases, a NULL and a zero among them
INSERT INTO marketplace_revenue BY NAME
SELECT *, 1 AS token_amount, 'platform_fee' AS fee_type, 's' AS source, revenue_id AS source_key, 1 AS load_id
FROM (VALUES
    (1, 'p', 5.00, NULL, '2025-10-01 00:00:00+00'), (2, NULL, 0.00, NULL, '2025-10-01 00:00:00+00'),
    (3, 'p', NULL, 'SOL', '2025-11-01 00:00:00+00'), (4, 'p', 5.00, NULL, '2025-10-01 00:00:00+00')
) v(revenue_id, project_id, amount_usd, token, collected_at);
SELECT assert_equal(list(revenue_usd ORDER BY revenue_id), [5.00, 0.00, 5.00]::DECIMAL(24, 12)[])
FROM fee_rows(until := '2025-11-01');
SELECT assert_equal(list(revenue_usd ORDER BY revenue_id), [5.00, 0.00, NULL, 5.00]::DECIMAL(24, 12)[])
FROM fee_rows(basis := 'cash');
SELECT assert_equal(list(revenue_id ORDER BY revenue_id), [1, 3, 4]::BIGINT[]) FROM fee_rows(project := 'p');
-- test: a fee has no node
INSERT INTO marketplace_revenue (revenue_id, amount_usd, fee_type, collected_at, source, source_key, load_id)
VALUES (1, 5.00, 'listing_fee', '2025-10-01 00:00:00+00', 's', '1', 1);
SELECT assert_equal(count(*), 0::BIGINT) FROM fee_rows(node := 'a');
