CREATE OR REPLACE VIEW platform_profit_summary AS FROM platform_profit();
COMMENT ON VIEW platform_profit_summary IS 'Profit and loss of the platform by month, on accrual';
