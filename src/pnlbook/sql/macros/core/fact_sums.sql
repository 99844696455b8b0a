-- All profit figures come from here, so they agree with one another. Each family of facts is summed to the grain
-- before families meet: a join of facts would multiply sums. `part` and `bucket` are expressions over a fact's
-- columns (node_id, project_id, kind, counted_at).
-- A grain without any column (NULL, NULL) is the total; HAVING keeps it from summing nothing to a row.
CREATE OR REPLACE MACRO fact_sums(
    part, bucket, since := NULL, until := NULL, basis := 'accrual', as_of := NULL, node := NULL, project := NULL
) AS TABLE
    WITH earned AS (
        SELECT part AS of_part, bucket AS in_bucket,
            sum(revenue_usd) AS revenue_usd, count(*) AS facts, count(*) - count(revenue_usd) AS unpriced,
            sum(cost_usd) AS cost_usd, count(*) FILTER (net_of_costs AND revenue_usd IS NOT NULL) AS deducted,
            count(cost_usd) AS deducted_priced
        FROM earning_rows(
            since := since, until := until, basis := basis, as_of := as_of, node := node, project := project)
        GROUP BY ALL HAVING count(*) > 0
    )
    SELECT 'earnings' AS family, of_part, in_bucket, revenue_usd, facts, unpriced FROM earned
    UNION ALL BY NAME
    SELECT 'deducted' AS family, of_part, in_bucket, cost_usd, deducted AS facts, deducted - deducted_priced AS unpriced
    FROM earned
    WHERE deducted > 0
    UNION ALL BY NAME
    SELECT 'fees' AS family, part AS of_part, bucket AS in_bucket,
        sum(revenue_usd) AS revenue_usd, count(*) AS facts, count(*) - count(revenue_usd) AS unpriced
    FROM fee_rows(
        since := since, until := until, basis := basis, as_of := as_of, node := node, project := project)
    GROUP BY ALL HAVING count(*) > 0
    UNION ALL BY NAME
    SELECT 'subscriptions' AS family, part AS of_part, bucket AS in_bucket,
        sum(revenue_usd) AS revenue_usd, count(*) AS facts, count(*) - count(revenue_usd) AS unpriced
    FROM subscription_rows(
        since := since, until := until, basis := basis, as_of := as_of, node := node, project := project)
    GROUP BY ALL HAVING count(*) > 0
    UNION ALL BY NAME
    SELECT 'deployment' AS family, part AS of_part, bucket AS in_bucket,
        sum(cost_usd) AS cost_usd, count(*) AS facts, count(*) - count(cost_usd) AS unpriced
    FROM cost_rows(
        since := since, until := until, basis := basis, as_of := as_of, node := node, project := project)
    GROUP BY ALL HAVING count(*) > 0
    UNION ALL BY NAME
    SELECT 'carried' AS family, part AS of_part, bucket AS in_bucket,
        -sum(cost_usd) AS cost_usd, count(*) AS facts, 0 AS unpriced
    FROM carried_rows(
        since := since, until := until, basis := basis, as_of := as_of, node := node, project := project)
    GROUP BY ALL HAVING count(*) > 0
    UNION ALL BY NAME
    SELECT 'backup' AS family, part AS of_part, bucket AS in_bucket,
        sum(cost_usd) AS cost_usd, count(*) AS facts, count(*) - count(cost_usd) AS unpriced
    FROM backup_rows(
        since := since, until := until, basis := basis, as_of := as_of, node := node, project := project)
    GROUP BY ALL HAVING count(*) > 0
    UNION ALL BY NAME
    SELECT 'model' AS family, part AS of_part, bucket AS in_bucket,
        sum(cost_usd) AS cost_usd, count(*) AS facts, count(*) - count(cost_usd) AS unpriced
    FROM model_rows(
        since := since, until := until, basis := basis, as_of := as_of, node := node, project := project)
    GROUP BY ALL HAVING count(*) > 0
    UNION ALL BY NAME
    SELECT NULL::VARCHAR AS family WHERE NOT known_basis(basis);
COMMENT ON MACRO TABLE fact_sums IS
    'Sums by any grain of earnings, deductions at source, fees, subscriptions, costs, carried costs, backups and models';

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
-- test: every family by itself, so that costs never multiply revenue
SELECT assert_equal(
    list((family, revenue_usd, cost_usd, facts, unpriced) ORDER BY family),
    [
        ('carried', NULL, -5.00, 1, 0), ('deducted', NULL, 0.00, 1, 0), ('deployment', NULL, 25.00, 4, 1),
        ('earnings', 240.00, NULL, 5, 1), ('fees', 7.00, NULL, 1, 0)
    ]::STRUCT(f VARCHAR, r DECIMAL(38, 12), c DECIMAL(38, 12), n BIGINT, u BIGINT)[]
) FROM fact_sums(NULL, NULL);
-- test: a cost more changes no revenue
INSERT INTO deployment_costs (cost_id, node_id, project_id, amount_usd, incurred_at, source, source_key, load_id)
VALUES (99, 'a', 'p', 1.00, '2025-11-01 00:00:00+00', 's', '99', 1);
SELECT assert_equal(sum(revenue_usd), 247.00::DECIMAL(38, 12)) FROM fact_sums(node_id, NULL);
-- test: a range without facts sums to no row at any grain
SELECT assert_equal(count(*), 0::BIGINT) FROM fact_sums(NULL, NULL, until := '2025-01-01');
SELECT assert_equal(count(*), 0::BIGINT) FROM fact_sums(node_id, time_slot(counted_at), until := '2025-01-01');
-- test: models cost what their messages say, an unknown cost counted beside
INSERT INTO communication_log BY NAME
SELECT *, 'assistant' AS role, 1 AS output_tokens, 's' AS source, message_id AS source_key, 1 AS load_id
FROM (VALUES
    ('1', 'a', 0.25, '2025-09-01 00:00:00+00'), ('2', 'a', 0.25, '2025-09-02 00:00:00+00'),
    ('3', 'a', NULL, '2025-09-02 00:00:00+00'), ('4', NULL, 0.00, '2025-09-02 00:00:00+00')
) v(message_id, node_id, cost_usd, sent_at);
SELECT assert_equal(
    list((of_part, revenue_usd, cost_usd, facts, unpriced) ORDER BY of_part NULLS FIRST),
    [(NULL, NULL, 0.00, 1, 0), ('a', NULL, 0.50, 3, 1)]
        ::STRUCT(p VARCHAR, r DECIMAL(38, 12), c DECIMAL(38, 12), n BIGINT, u BIGINT)[]
) FROM fact_sums(node_id, NULL) WHERE family = 'model';
SELECT assert_equal(sum(revenue_usd), 247.00::DECIMAL(38, 12)) FROM fact_sums(NULL, NULL);
