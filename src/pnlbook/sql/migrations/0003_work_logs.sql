-- Work logs: which agent of a session did what, what its models cost, and how far each log was read.
--
-- work_intervals and work_metrics_daily are made from the rows of the other work tables and can be made anew at any
-- time. The columns added to a table are added to its history as well, so they stand behind superseded_by there.

-- up

ALTER TABLE work_sessions ADD COLUMN cwd VARCHAR;
ALTER TABLE work_sessions ADD COLUMN branch VARCHAR;
ALTER TABLE work_sessions ADD COLUMN agent_version VARCHAR;
ALTER TABLE work_sessions_history ADD COLUMN cwd VARCHAR;
ALTER TABLE work_sessions_history ADD COLUMN branch VARCHAR;
ALTER TABLE work_sessions_history ADD COLUMN agent_version VARCHAR;
COMMENT ON COLUMN work_sessions.cwd IS 'Folder worked in at first';
COMMENT ON COLUMN work_sessions.branch IS 'Branch of the repository worked on at first';
COMMENT ON COLUMN work_sessions.agent_version IS 'Version of the program that worked';

ALTER TABLE file_changes ADD COLUMN agent_id VARCHAR;
ALTER TABLE file_changes ADD COLUMN origin VARCHAR DEFAULT 'edit';
ALTER TABLE file_changes ADD COLUMN file_class VARCHAR;
ALTER TABLE file_changes ADD COLUMN commit_id VARCHAR;
ALTER TABLE file_changes ADD COLUMN author VARCHAR;
ALTER TABLE file_changes ADD COLUMN co_authors VARCHAR[];
ALTER TABLE file_changes_history ADD COLUMN agent_id VARCHAR;
ALTER TABLE file_changes_history ADD COLUMN origin VARCHAR;
ALTER TABLE file_changes_history ADD COLUMN file_class VARCHAR;
ALTER TABLE file_changes_history ADD COLUMN commit_id VARCHAR;
ALTER TABLE file_changes_history ADD COLUMN author VARCHAR;
ALTER TABLE file_changes_history ADD COLUMN co_authors VARCHAR[];
COMMENT ON COLUMN file_changes.agent_id IS 'Subagent that made it; NULL: the session''s main agent';
COMMENT ON COLUMN file_changes.origin IS 'edit: applied to a file; commit: as a commit has it. The two count the same lines and are never added up';
COMMENT ON COLUMN file_changes.file_class IS 'source, generated, vendored, lock or binary; NULL: not known';
COMMENT ON COLUMN file_changes.commit_id IS 'Commit that holds it';
COMMENT ON COLUMN file_changes.author IS 'Author of the commit, by its mailmap';
COMMENT ON COLUMN file_changes.co_authors IS 'Co-authors that the commit names';

ALTER TABLE tool_usage ADD COLUMN agent_id VARCHAR;
ALTER TABLE tool_usage ADD COLUMN subject VARCHAR;
ALTER TABLE tool_usage ADD COLUMN waits_for_person BOOLEAN;
ALTER TABLE tool_usage_history ADD COLUMN agent_id VARCHAR;
ALTER TABLE tool_usage_history ADD COLUMN subject VARCHAR;
ALTER TABLE tool_usage_history ADD COLUMN waits_for_person BOOLEAN;
COMMENT ON COLUMN tool_usage.agent_id IS 'Subagent that invoked it; NULL: the session''s main agent';
COMMENT ON COLUMN tool_usage.subject IS 'File or command it was invoked on';
COMMENT ON COLUMN tool_usage.waits_for_person IS 'Whether its duration is a person''s time to answer; NULL: no';

ALTER TABLE communication_log ADD COLUMN agent_id VARCHAR;
ALTER TABLE communication_log ADD COLUMN completed_at TIMESTAMPTZ;
ALTER TABLE communication_log ADD COLUMN request_id VARCHAR;
ALTER TABLE communication_log ADD COLUMN stop_reason VARCHAR;
ALTER TABLE communication_log ADD COLUMN cost_usd DECIMAL(24, 12);
ALTER TABLE communication_log ADD COLUMN cost_basis VARCHAR;
ALTER TABLE communication_log ADD COLUMN price_id VARCHAR;
ALTER TABLE communication_log_history ADD COLUMN agent_id VARCHAR;
ALTER TABLE communication_log_history ADD COLUMN completed_at TIMESTAMPTZ;
ALTER TABLE communication_log_history ADD COLUMN request_id VARCHAR;
ALTER TABLE communication_log_history ADD COLUMN stop_reason VARCHAR;
ALTER TABLE communication_log_history ADD COLUMN cost_usd DECIMAL(24, 12);
ALTER TABLE communication_log_history ADD COLUMN cost_basis VARCHAR;
ALTER TABLE communication_log_history ADD COLUMN price_id VARCHAR;
COMMENT ON COLUMN communication_log.agent_id IS 'Subagent that wrote it; NULL: the session''s main agent';
COMMENT ON COLUMN communication_log.completed_at IS 'When its last part came; NULL: at sent_at';
COMMENT ON COLUMN communication_log.request_id IS 'The request that the message answers, as the model''s provider numbers it';
COMMENT ON COLUMN communication_log.stop_reason IS 'Why the model stopped';
COMMENT ON COLUMN communication_log.cost_usd IS 'What the tokens cost in USD at the price of their time; NULL with tokens: not known (unpriced)';
COMMENT ON COLUMN communication_log.cost_basis IS 'actual: charged; list: list price; estimate; NULL: no cost';
COMMENT ON COLUMN communication_log.price_id IS 'The row of model_prices that was used; NULL: the source gave the cost itself';

ALTER TABLE error_log ADD COLUMN agent_id VARCHAR;
ALTER TABLE error_log_history ADD COLUMN agent_id VARCHAR;
COMMENT ON COLUMN error_log.agent_id IS 'Subagent that met it; NULL: the session''s main agent';

CREATE TABLE model_prices (
    price_id                    VARCHAR NOT NULL,
    model                       VARCHAR NOT NULL,
    provider                    VARCHAR,
    valid_from                  TIMESTAMPTZ NOT NULL DEFAULT '1970-01-02 00:00:00+00',
    from_input_tokens           BIGINT NOT NULL DEFAULT 0,
    input_usd_per_mtok          DECIMAL(24, 12),
    cache_read_usd_per_mtok     DECIMAL(24, 12),
    cache_write_5m_usd_per_mtok DECIMAL(24, 12),
    cache_write_1h_usd_per_mtok DECIMAL(24, 12),
    output_usd_per_mtok         DECIMAL(24, 12),
    source                      VARCHAR NOT NULL,
    source_key                  VARCHAR NOT NULL,
    source_line                 BIGINT,
    load_id                     BIGINT NOT NULL,
    PRIMARY KEY (price_id),
    CHECK (from_input_tokens >= 0),
    CHECK (input_usd_per_mtok >= 0 AND cache_read_usd_per_mtok >= 0 AND cache_write_5m_usd_per_mtok >= 0
        AND cache_write_1h_usd_per_mtok >= 0 AND output_usd_per_mtok >= 0)
);
COMMENT ON TABLE model_prices IS 'Prices of models in USD for a million tokens, each from an instant on';
COMMENT ON COLUMN model_prices.price_id IS 'Identity of the price';
COMMENT ON COLUMN model_prices.model IS 'Model as logs name it';
COMMENT ON COLUMN model_prices.provider IS 'Who charges';
COMMENT ON COLUMN model_prices.valid_from IS 'First instant at which it holds; it ends where the next one of the model begins';
COMMENT ON COLUMN model_prices.from_input_tokens IS 'Least number of input tokens, cached ones included, of a request that it holds for';
COMMENT ON COLUMN model_prices.input_usd_per_mtok IS 'Uncached input; NULL: not known';
COMMENT ON COLUMN model_prices.cache_read_usd_per_mtok IS 'Input read from a cache; NULL: not known';
COMMENT ON COLUMN model_prices.cache_write_5m_usd_per_mtok IS 'Input written to a cache for 5 minutes; NULL: not known';
COMMENT ON COLUMN model_prices.cache_write_1h_usd_per_mtok IS 'Input written to a cache for an hour; NULL: not known';
COMMENT ON COLUMN model_prices.output_usd_per_mtok IS 'Output, reasoning included; NULL: not known';
COMMENT ON COLUMN model_prices.source IS 'The system that the row comes from';
COMMENT ON COLUMN model_prices.source_key IS 'Key of the row in its source; made from its content where the source has none';
COMMENT ON COLUMN model_prices.source_line IS 'Line of the file on which the row began; row number for Parquet and sheets; 1-based';
COMMENT ON COLUMN model_prices.load_id IS 'The load that brought this version of the row';

CREATE TABLE model_prices_history AS SELECT *, 0::BIGINT AS superseded_by FROM model_prices LIMIT 0;
ALTER TABLE model_prices_history ALTER superseded_by SET NOT NULL;
ALTER TABLE model_prices_history ADD PRIMARY KEY (price_id, superseded_by);
COMMENT ON TABLE model_prices_history IS 'Replaced versions of model_prices';
COMMENT ON COLUMN model_prices_history.superseded_by IS 'The load that replaced this version';

CREATE TABLE work_files (
    source      VARCHAR NOT NULL,
    location    VARCHAR NOT NULL,
    request     VARCHAR NOT NULL,
    since       TIMESTAMPTZ,
    bytes_read  BIGINT NOT NULL,
    lines_read  BIGINT NOT NULL,
    head_bytes  BIGINT NOT NULL,
    head_sha256 VARCHAR NOT NULL,
    state       VARCHAR,
    load_id     BIGINT NOT NULL,
    PRIMARY KEY (source, location)
);
COMMENT ON TABLE work_files IS 'How far each log of work was read, so that only what was added since is read again';
COMMENT ON COLUMN work_files.source IS 'Kind of log, e.g. claude-code';
COMMENT ON COLUMN work_files.location IS 'The file or repository';
COMMENT ON COLUMN work_files.request IS 'How it was asked for, as JSON; asked for otherwise, it is read from its beginning';
COMMENT ON COLUMN work_files.since IS 'Records before this instant were left out; NULL: none was';
COMMENT ON COLUMN work_files.bytes_read IS 'Bytes that were read, from the beginning';
COMMENT ON COLUMN work_files.lines_read IS 'Lines that were read, from the beginning';
COMMENT ON COLUMN work_files.head_bytes IS 'Bytes that head_sha256 covers';
COMMENT ON COLUMN work_files.head_sha256 IS 'SHA-256 of the beginning, lower-case hex: tells whether it is still the same file';
COMMENT ON COLUMN work_files.state IS 'What the reader must know of what it read, as JSON';
COMMENT ON COLUMN work_files.load_id IS 'The load that last read it';

CREATE TABLE work_intervals (
    session_id VARCHAR NOT NULL,
    agent_id   VARCHAR NOT NULL DEFAULT '',
    started_at TIMESTAMPTZ NOT NULL,
    ended_at   TIMESTAMPTZ NOT NULL,
    kind       VARCHAR NOT NULL,
    node_id    VARCHAR,
    project_id VARCHAR,
    PRIMARY KEY (session_id, agent_id, started_at),
    CHECK (kind IN ('busy', 'idle')),
    CHECK (started_at < ended_at)
);
COMMENT ON TABLE work_intervals IS 'The time of each stream of work without gaps or overlaps: busy, or idle while a person was waited for; made from the rows of work';
COMMENT ON COLUMN work_intervals.session_id IS 'Session it belongs to';
COMMENT ON COLUMN work_intervals.agent_id IS 'Subagent whose stream it is; empty: the session''s main agent';
COMMENT ON COLUMN work_intervals.started_at IS 'When it began';
COMMENT ON COLUMN work_intervals.ended_at IS 'When it ended, exclusive';
COMMENT ON COLUMN work_intervals.kind IS 'busy: a model or a tool was at work; idle: a person was waited for, and an idle gap beyond the threshold counts nowhere';
COMMENT ON COLUMN work_intervals.node_id IS 'Node that worked; NULL or unknown: unattributed';
COMMENT ON COLUMN work_intervals.project_id IS 'Project worked on; NULL or unknown: unattributed';

ALTER TABLE work_metrics_daily ADD COLUMN commit_lines_added BIGINT;
ALTER TABLE work_metrics_daily ADD COLUMN commit_lines_deleted BIGINT;
ALTER TABLE work_metrics_daily ADD COLUMN model_cost_usd DECIMAL(38, 12);
ALTER TABLE work_metrics_daily ADD COLUMN unpriced_messages BIGINT DEFAULT 0;
COMMENT ON COLUMN work_metrics_daily.lines_added IS 'Lines added by edits';
COMMENT ON COLUMN work_metrics_daily.lines_deleted IS 'Lines deleted by edits';
COMMENT ON COLUMN work_metrics_daily.commit_lines_added IS 'Lines added as commits have it';
COMMENT ON COLUMN work_metrics_daily.commit_lines_deleted IS 'Lines deleted as commits have it';
COMMENT ON COLUMN work_metrics_daily.model_cost_usd IS 'What the models cost, as far as known';
COMMENT ON COLUMN work_metrics_daily.unpriced_messages IS 'Messages with tokens whose cost is not known';

INSERT INTO book_settings VALUES
    ('work_idle_seconds', '300', 'Waiting for a person longer than this many seconds is no working time in work_metrics_daily');

-- down

DELETE FROM book_settings WHERE name = 'work_idle_seconds';
ALTER TABLE work_metrics_daily DROP COLUMN unpriced_messages;
ALTER TABLE work_metrics_daily DROP COLUMN model_cost_usd;
ALTER TABLE work_metrics_daily DROP COLUMN commit_lines_deleted;
ALTER TABLE work_metrics_daily DROP COLUMN commit_lines_added;
COMMENT ON COLUMN work_metrics_daily.lines_added IS 'Lines added';
COMMENT ON COLUMN work_metrics_daily.lines_deleted IS 'Lines deleted';
DROP TABLE work_intervals;
DROP TABLE work_files;
DROP TABLE model_prices_history;
DROP TABLE model_prices;
ALTER TABLE error_log_history DROP COLUMN agent_id;
ALTER TABLE error_log DROP COLUMN agent_id;
ALTER TABLE communication_log_history DROP COLUMN price_id;
ALTER TABLE communication_log_history DROP COLUMN cost_basis;
ALTER TABLE communication_log_history DROP COLUMN cost_usd;
ALTER TABLE communication_log_history DROP COLUMN stop_reason;
ALTER TABLE communication_log_history DROP COLUMN request_id;
ALTER TABLE communication_log_history DROP COLUMN completed_at;
ALTER TABLE communication_log_history DROP COLUMN agent_id;
ALTER TABLE communication_log DROP COLUMN price_id;
ALTER TABLE communication_log DROP COLUMN cost_basis;
ALTER TABLE communication_log DROP COLUMN cost_usd;
ALTER TABLE communication_log DROP COLUMN stop_reason;
ALTER TABLE communication_log DROP COLUMN request_id;
ALTER TABLE communication_log DROP COLUMN completed_at;
ALTER TABLE communication_log DROP COLUMN agent_id;
ALTER TABLE tool_usage_history DROP COLUMN waits_for_person;
ALTER TABLE tool_usage_history DROP COLUMN subject;
ALTER TABLE tool_usage_history DROP COLUMN agent_id;
ALTER TABLE tool_usage DROP COLUMN waits_for_person;
ALTER TABLE tool_usage DROP COLUMN subject;
ALTER TABLE tool_usage DROP COLUMN agent_id;
ALTER TABLE file_changes_history DROP COLUMN co_authors;
ALTER TABLE file_changes_history DROP COLUMN author;
ALTER TABLE file_changes_history DROP COLUMN commit_id;
ALTER TABLE file_changes_history DROP COLUMN file_class;
ALTER TABLE file_changes_history DROP COLUMN origin;
ALTER TABLE file_changes_history DROP COLUMN agent_id;
ALTER TABLE file_changes DROP COLUMN co_authors;
ALTER TABLE file_changes DROP COLUMN author;
ALTER TABLE file_changes DROP COLUMN commit_id;
ALTER TABLE file_changes DROP COLUMN file_class;
ALTER TABLE file_changes DROP COLUMN origin;
ALTER TABLE file_changes DROP COLUMN agent_id;
ALTER TABLE work_sessions_history DROP COLUMN agent_version;
ALTER TABLE work_sessions_history DROP COLUMN branch;
ALTER TABLE work_sessions_history DROP COLUMN cwd;
ALTER TABLE work_sessions DROP COLUMN agent_version;
ALTER TABLE work_sessions DROP COLUMN branch;
ALTER TABLE work_sessions DROP COLUMN cwd;
