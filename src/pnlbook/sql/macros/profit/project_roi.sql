-- Two views of a project: the platform's, which takes the fees, and the node's, which takes the earnings; both
-- bear the same costs. Subscriptions and backups have no project and are unattributed.
CREATE OR REPLACE MACRO project_roi(
    since := NULL, until := NULL, basis := 'accrual', as_of := NULL, node := NULL, project := NULL
) AS TABLE
    SELECT
        coalesce(known.project_id, sums.part) AS project_id,
        CASE WHEN known.project_id IS NULL THEN 'unattributed' ELSE coalesce(known.project_name, known.project_id) END
            AS project_name,
        known.project_id IS NOT NULL AS attributed,
        zero_without(facts, sums.node_earnings_usd) AS node_earnings_usd,
        zero_without(facts, sums.marketplace_fees_usd) AS platform_fees_usd,
        zero_without(facts, sums.subscription_revenue_usd) AS subscription_revenue_usd,
        zero_without(facts, sums.deployment_costs_usd) AS deployment_costs_usd,
        zero_without(facts, sums.deducted_at_source_usd) AS deducted_at_source_usd,
        zero_without(facts, sums.backup_costs_usd) AS backup_costs_usd,
        zero_without(facts, sums.model_costs_usd) AS model_costs_usd,
        zero_without(facts, sums.costs_carried_usd) AS costs_carried_usd,
        zero_without(facts, sums.total_costs_usd) AS total_costs_usd,
        zero_without(facts, sums.platform_profit_usd) AS platform_profit_usd,
        zero_without(facts, sums.node_profit_usd) AS node_profit_usd,
        percent(
            sums.marketplace_fees_usd + sums.subscription_revenue_usd - sums.total_costs_usd, sums.total_costs_usd
        ) AS platform_roi_percentage,
        percent(sums.node_earnings_usd - sums.total_costs_usd, sums.total_costs_usd) AS node_roi_percentage,
        zero_without(facts, sums.unpriced_rows) AS unpriced_rows
    FROM sums_by(
        project_id, NULL, NULL,
        since := since, until := until, basis := basis, as_of := as_of, node := node, project := project
    ) AS sums
    FULL JOIN (
        SELECT project_id, project_name FROM as_loaded('projects', as_of := as_of)
        WHERE project IS NULL OR project_id = project
    ) AS known ON sums.part = known.project_id
    WHERE node IS NULL OR facts IS NOT NULL
    ORDER BY platform_profit_usd DESC NULLS LAST, project_id;
COMMENT ON MACRO TABLE project_roi IS
    'Return of every project for the platform and for its nodes, with what is unattributed';

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
-- test: the platform takes the fees, the node the earnings, both bear the costs
INSERT INTO projects (project_id, project_name, source, source_key, load_id)
VALUES ('p', 'Portal', 's', 'p', 1), ('r', NULL, 's', 'r', 1);
SELECT assert_equal(
    list((project_id, project_name, attributed, platform_profit_usd, node_profit_usd, platform_roi_percentage, node_roi_percentage)),
    [
        ('q', 'unattributed', false, 0.00, 40.00, NULL, NULL), ('r', 'r', true, 0.00, 0.00, NULL, NULL),
        ('p', 'Portal', true, -13.00, 180.00, -65.00, 900.00), (NULL, 'unattributed', false, NULL, NULL, NULL, NULL)
    ]::STRUCT(
        i VARCHAR, n VARCHAR, a BOOLEAN, p DECIMAL(38, 12), e DECIMAL(38, 12), x DECIMAL(38, 2), y DECIMAL(38, 2)
    )[]
) FROM project_roi();
-- test: projects and what has none add up to the platform
SELECT assert_equal(
    (SELECT (sum(node_earnings_usd) + sum(platform_fees_usd) - sum(total_costs_usd)) FROM project_roi()),
    (SELECT sum(net_profit_usd) FROM platform_profit())
);
-- test: filtered to a node, projects without facts of it are left out, the others keep their names
INSERT INTO projects (project_id, project_name, source, source_key, load_id)
VALUES ('p', 'Portal', 's', 'p', 1), ('q', 'Quay', 's', 'q', 1);
SELECT assert_equal(list((project_id, project_name, attributed)), [('q', 'Quay', true), (NULL, 'unattributed', false)])
FROM project_roi(node := 'x');
-- test: subscriptions and backups have no project
INSERT INTO subscription_revenue (revenue_id, amount_usd, billed_at, source, source_key, load_id)
VALUES (1, 9.00, '2025-10-01 00:00:00+00', 's', '1', 1);
INSERT INTO arweave_backups (backup_id, backup_type, file_size_bytes, compressed_size_bytes, checksum_sha256, cost_usd)
VALUES ('1', 'full', 1, 1, repeat('0', 64), 0.04);
SELECT assert_equal(
    list((project_id, subscription_revenue_usd, backup_costs_usd)) FILTER (subscription_revenue_usd + backup_costs_usd > 0),
    [(NULL, 9.00, 0.04)]
        ::STRUCT(p VARCHAR, s DECIMAL(38, 12), b DECIMAL(38, 12))[]
) FROM project_roi();
-- test: what models cost is borne in both views
INSERT INTO communication_log (message_id, project_id, role, output_tokens, cost_usd, sent_at, source, source_key, load_id)
VALUES
    ('1', 'p', 'assistant', 1, 1.00, '2025-11-02 00:00:00+00', 's', '1', 1),
    ('2', 'p', 'assistant', 1, 1.00, '2025-11-02 00:00:00+00', 's', '2', 1);
SELECT assert_equal(
    (model_costs_usd, total_costs_usd, platform_profit_usd, node_profit_usd),
    (2.00, 22.00, -15.00, 178.00)::STRUCT(m DECIMAL(38, 12), c DECIMAL(38, 12), p DECIMAL(38, 12), e DECIMAL(38, 12))
) FROM project_roi(project := 'p');
