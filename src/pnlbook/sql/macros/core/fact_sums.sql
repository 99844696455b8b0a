-- All profit figures come from here, so they agree with one another. Each family of facts is summed to the grain
-- before families meet: a join of facts would multiply sums. `part` and `bucket` are expressions over a fact's
-- columns (node_id, project_id, kind, counted_at).
-- A grain without any column (NULL, NULL) is the total; HAVING keeps it from summing nothing to a row.
CREATE OR REPLACE MACRO fact_sums(
    part, bucket, since := NULL, until := NULL, basis := 'accrual', as_of := NULL, node := NULL, project := NULL
) AS TABLE
    SELECT 'earnings' AS family, part AS of_part, bucket AS in_bucket,
        sum(revenue_usd) AS revenue_usd, count(*) AS facts, count(*) - count(revenue_usd) AS unpriced
    FROM earning_rows(
        since := since, until := until, basis := basis, as_of := as_of, node := node, project := project)
    GROUP BY ALL HAVING count(*) > 0
    UNION ALL BY NAME
    SELECT 'deducted' AS family, part AS of_part, bucket AS in_bucket,
        sum(cost_usd) AS cost_usd, count(*) AS facts, count(*) - count(cost_usd) AS unpriced
    FROM earning_rows(
        since := since, until := until, basis := basis, as_of := as_of, node := node, project := project)
    WHERE net_of_costs AND revenue_usd IS NOT NULL
    GROUP BY ALL HAVING count(*) > 0
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
    SELECT NULL::VARCHAR AS family WHERE NOT known_basis(basis);
COMMENT ON MACRO TABLE fact_sums IS 'Sums of every family of facts by any grain: earnings and what was deducted from them, fees, subscriptions, deployment costs and those carried, backups';
