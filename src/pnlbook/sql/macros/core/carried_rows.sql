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
COMMENT ON MACRO TABLE carried_rows IS 'Deployment costs that a payment net of costs has already taken, not to be subtracted again';
