CREATE OR REPLACE VIEW node_profit_summary AS FROM node_profit();
COMMENT ON VIEW node_profit_summary IS 'Profit of every node over all time, on accrual';
