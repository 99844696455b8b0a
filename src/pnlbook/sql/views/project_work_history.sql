CREATE OR REPLACE VIEW project_work_history AS FROM project_work();
COMMENT ON VIEW project_work_history IS 'What was done for every project, over all time';
