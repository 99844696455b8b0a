CREATE OR REPLACE VIEW active_work_sessions AS FROM active_sessions();
COMMENT ON VIEW active_work_sessions IS 'Sessions not known to have ended of which something was heard in the last 30 minutes';
