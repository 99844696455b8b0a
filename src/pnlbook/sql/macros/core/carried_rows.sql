-- Costs that a net payment already carries. They stand in the books and are taken back here, rather than left
-- out of cost_rows: where nothing is paid net, this join ends before it reads a cost.
CREATE OR REPLACE MACRO carried_rows(
    since := NULL, until := NULL, basis := 'accrual', as_of := NULL, node := NULL, project := NULL
) AS TABLE
    SELECT costs.*
    FROM cost_rows(since := since, until := until, basis := basis, as_of := as_of, node := node, project := project)
        AS costs
    JOIN net_pairs(as_of := as_of) AS pairs
        ON costs.node_id = pairs.node_id AND costs.project_id = pairs.project_id
    WHERE costs.incurred_at <= pairs.carried_until;
COMMENT ON MACRO TABLE carried_rows IS
    'Deployment costs that a payment net of costs has already taken, not to be subtracted again';

-- tests
INSERT INTO node_earnings BY NAME
SELECT *, 10 AS amount_usd, 'milestone' AS payment_type, 's' AS source, earning_id AS source_key, 1 AS load_id
FROM (VALUES
    (1, 'a', 'p', true, 'paid', '2025-10-02 00:00:00+00'), (2, 'a', 'p', true, 'pending', '2025-10-05 00:00:00+00'),
    (3, 'a', 'p', true, 'failed', '2025-10-09 00:00:00+00'), (4, 'a', 'q', false, 'paid', '2025-10-09 00:00:00+00'),
    (5, NULL, 'p', true, 'paid', '2025-10-09 00:00:00+00'), (6, 'a', NULL, true, 'paid', '2025-10-09 00:00:00+00')
) v(earning_id, node_id, project_id, net_of_costs, payment_status, earned_at);
-- test: costs of the pair up to the net earning, at that instant included, are carried; others are not
INSERT INTO deployment_costs BY NAME
SELECT *, 1 AS token_amount, 's' AS source, cost_id AS source_key, 1 AS load_id
FROM (VALUES
    (1, 'a', 'p', 1.00, NULL, 'paid', '2025-10-01 00:00:00+00'),
    (2, 'a', 'p', 1.00, NULL, 'paid', '2025-10-01 00:00:00+00'),
    (3, 'a', 'p', NULL, 'AKT', 'pending', '2025-10-05 00:00:00+00'),
    (4, 'a', 'p', 0.00, NULL, 'failed', '2025-10-01 00:00:00+00'),
    (5, 'a', 'p', 1.00, NULL, 'paid', '2025-10-05 00:00:01+00'),
    (6, 'a', 'q', 1.00, NULL, 'paid', '2025-10-01 00:00:00+00'),
    (7, 'a', NULL, 1.00, NULL, 'paid', '2025-10-01 00:00:00+00'),
    (8, NULL, 'p', 1.00, NULL, 'paid', '2025-10-01 00:00:00+00')
) v(cost_id, node_id, project_id, amount_usd, token, payment_status, incurred_at);
SELECT assert_equal(list(cost_id ORDER BY cost_id), [1, 2, 3]::BIGINT[]) FROM carried_rows();
-- test: what is carried depends on no range and no basis
INSERT INTO deployment_costs (
    cost_id, node_id, project_id, amount_usd, incurred_at, paid_at, source, source_key, load_id
)
VALUES (1, 'a', 'p', 1.00, '2025-10-01 00:00:00+00', '2025-12-01 00:00:00+00', 's', '1', 1);
SELECT assert_equal(count(*), 1::BIGINT) FROM carried_rows(until := '2025-10-02');
SELECT assert_equal(count(*), 1::BIGINT) FROM carried_rows(basis := 'cash', since := '2025-12-01');
