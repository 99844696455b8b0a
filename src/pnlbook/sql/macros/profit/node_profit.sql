-- Every known node has a row, so that one without facts is seen to have none. Facts without a node share the row
-- whose node_id is NULL; facts of a node that nobody knows keep their node_id in a row of their own.
CREATE OR REPLACE MACRO node_profit(
    since := NULL, until := NULL, basis := 'accrual', as_of := NULL, node := NULL, project := NULL
) AS TABLE
    SELECT
        coalesce(known.node_id, sums.part) AS node_id,
        CASE WHEN known.node_id IS NULL THEN 'unattributed' ELSE coalesce(known.node_name, known.node_id) END
            AS node_name,
        known.node_id IS NOT NULL AS attributed,
        zero_without(facts, sums.total_revenue_usd) AS total_revenue_usd,
        zero_without(facts, sums.total_costs_usd) AS total_costs_usd,
        zero_without(facts, sums.costs_carried_usd) AS costs_carried_usd,
        zero_without(facts, sums.net_profit_usd) AS net_profit_usd,
        percent(sums.total_revenue_usd - sums.total_costs_usd, sums.total_revenue_usd) AS profit_margin_percentage,
        percent(sums.total_revenue_usd - sums.total_costs_usd, sums.total_costs_usd) AS roi_percentage,
        zero_without(facts, sums.unpriced_rows) AS unpriced_rows
    FROM sums_by(
        node_id, NULL, NULL,
        since := since, until := until, basis := basis, as_of := as_of, node := node, project := project
    ) AS sums
    FULL JOIN (
        SELECT node_id, node_name FROM as_loaded('nodes', as_of := as_of)
        WHERE node IS NULL OR node_id = node
    ) AS known ON sums.part = known.node_id
    WHERE project IS NULL OR facts IS NOT NULL
    ORDER BY net_profit_usd DESC NULLS LAST, node_id;
COMMENT ON MACRO TABLE node_profit IS 'Profit of every node, best first, with what is unattributed';

-- tests
INSERT INTO nodes (node_id, node_name, source, source_key, load_id)
VALUES ('a', 'Ada', 's', 'a', 1), ('b', NULL, 's', 'b', 1);
INSERT INTO node_earnings BY NAME
SELECT *, 1 AS token_amount, 'milestone' AS payment_type, 's' AS source, earning_id AS source_key, 1 AS load_id
FROM (VALUES
    (1, 'a', 'p', 100.00, 100.00, NULL, false, 'paid', '2025-09-15 00:00:00+00'),
    (2, 'a', 'p', 100.00, 100.00, NULL, false, 'pending', '2025-11-15 00:00:00+00'),
    (3, 'a', 'q', NULL, 40.00, NULL, true, 'paid', '2025-11-16 00:00:00+00'),
    (4, 'x', 'q', 0.00, 0.00, NULL, false, 'paid', '2025-11-15 00:00:00+00'),
    (5, NULL, NULL, NULL, NULL, 'SOL', false, 'paid', '2025-11-15 00:00:00+00'),
    (6, 'a', 'p', 900.00, 900.00, NULL, false, 'failed', '2025-11-15 00:00:00+00')
) v(earning_id, node_id, project_id, gross_amount_usd, amount_usd, token, net_of_costs, payment_status, earned_at);
INSERT INTO deployment_costs BY NAME
SELECT *, 1 AS token_amount, 's' AS source, cost_id AS source_key, 1 AS load_id
FROM (VALUES
    (1, 'a', 'p', 'akash', 10.00, NULL, '2025-09-16 00:00:00+00'),
    (2, 'a', 'p', 'akash', 10.00, NULL, '2025-11-01 00:00:00+00'),
    (3, 'a', 'q', 'arweave', 5.00, NULL, '2025-11-02 00:00:00+00'),
    (4, 'x', NULL, 'akash', NULL, 'AKT', '2025-11-03 00:00:00+00')
) v(cost_id, node_id, project_id, category, amount_usd, token, incurred_at);
INSERT INTO marketplace_revenue (
    revenue_id, project_id, amount_usd, fee_type, collected_at, source, source_key, load_id
)
VALUES (1, 'p', 7.00, 'platform_fee', '2025-11-05 00:00:00+00', 's', '1', 1);
-- test: known nodes, an unknown one and facts without one, best first
SELECT assert_equal(
    list((node_id, node_name, attributed, total_revenue_usd, total_costs_usd, net_profit_usd, unpriced_rows)),
    [
        ('a', 'Ada', true, 240.00, 20.00, 220.00, 0), (NULL, 'unattributed', false, 7.00, 0.00, 7.00, 1),
        ('b', 'b', true, 0.00, 0.00, 0.00, 0), ('x', 'unattributed', false, 0.00, NULL, 0.00, 1)
    ]::STRUCT(i VARCHAR, n VARCHAR, a BOOLEAN, r DECIMAL(38, 12), c DECIMAL(38, 12), p DECIMAL(38, 12), u BIGINT)[]
) FROM node_profit();
-- test: margin and return over zero or of something unknown are NULL
SELECT assert_equal(
    list((profit_margin_percentage, roi_percentage) ORDER BY node_id NULLS FIRST),
    [(100.00, NULL), (91.67, 1100.00), (NULL, NULL), (NULL, NULL)]::STRUCT(m DECIMAL(38, 2), r DECIMAL(38, 2))[]
) FROM node_profit();
-- test: the rows add up to the platform, in every range and on both bases
SELECT assert_equal(
    (SELECT sum(net_profit_usd) FROM node_profit()), (SELECT sum(net_profit_usd) FROM platform_profit())
);
SELECT assert_equal(
    (SELECT sum(net_profit_usd) FROM node_profit(since := '2025-11-01', basis := 'cash')),
    (SELECT sum(net_profit_usd) FROM platform_profit(since := '2025-11-01', basis := 'cash'))
);
-- test: filtered to a project, nodes without facts of it are left out
SELECT assert_equal(list((node_id, node_name, attributed)), [('a', 'Ada', true), ('x', 'unattributed', false)])
FROM node_profit(project := 'q');
SELECT assert_equal(list(node_id ORDER BY node_id), ['b']) FROM node_profit(node := 'b');
