CREATE OR REPLACE VIEW node_monthly_profit AS FROM node_monthly_profit();
COMMENT ON VIEW node_monthly_profit IS 'Profit of every node by month, on accrual';
