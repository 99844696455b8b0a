CREATE OR REPLACE VIEW node_productivity_summary AS FROM node_productivity();
COMMENT ON VIEW node_productivity_summary IS 'What every node did and earned in an hour, over all time';
