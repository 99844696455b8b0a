-- A source that pays out net has already taken the costs of that node and project up to its payment; what it
-- took does not depend on the range or the basis of a report.
CREATE OR REPLACE MACRO net_pairs(as_of := NULL) AS TABLE
    SELECT node_id, project_id, max(earned_at) AS carried_until
    FROM as_loaded('node_earnings', as_of := as_of)
    WHERE net_of_costs AND payment_status <> 'failed' AND node_id IS NOT NULL AND project_id IS NOT NULL
    GROUP BY node_id, project_id;
COMMENT ON MACRO TABLE net_pairs IS 'Nodes and projects paid out net of costs, with the last instant that such a payment covers';
