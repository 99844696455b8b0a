-- The first book: core, profit, backup, work and house-keeping tables.
--
-- USD is DECIMAL(24, 12): exact for cloud bills with twelve decimals, below a trillion a row, and sums
-- widen to DECIMAL(38, 12). Facts name nodes and projects without foreign keys, because a fact whose node
-- nobody knows is kept and shown as unattributed. A history table holds the versions that later loads
-- replaced, with the load that replaced them.

-- up

CREATE TABLE book_settings (
    name        VARCHAR NOT NULL,
    value       VARCHAR,
    description VARCHAR,
    PRIMARY KEY (name)
);
COMMENT ON TABLE book_settings IS 'Settings of the book, one row each';
COMMENT ON COLUMN book_settings.name IS 'Name of the setting';
COMMENT ON COLUMN book_settings.value IS 'Its value as text';
COMMENT ON COLUMN book_settings.description IS 'What it does';

CREATE TABLE loads (
    load_id         BIGINT NOT NULL,
    batch_id        BIGINT NOT NULL,
    status          VARCHAR NOT NULL,
    table_name      VARCHAR NOT NULL,
    source          VARCHAR NOT NULL,
    location        VARCHAR NOT NULL,
    format          VARCHAR NOT NULL,
    content_sha256  VARCHAR,
    content_bytes   BIGINT,
    mapping         VARCHAR,
    rows_read       BIGINT NOT NULL DEFAULT 0,
    rows_added      BIGINT NOT NULL DEFAULT 0,
    rows_superseded BIGINT NOT NULL DEFAULT 0,
    rows_unchanged  BIGINT NOT NULL DEFAULT 0,
    rows_refused    BIGINT NOT NULL DEFAULT 0,
    first_at        TIMESTAMPTZ,
    last_at         TIMESTAMPTZ,
    amount_usd      DECIMAL(38, 12),
    unpriced_rows   BIGINT NOT NULL DEFAULT 0,
    started_at      TIMESTAMPTZ NOT NULL,
    committed_at    TIMESTAMPTZ NOT NULL,
    loaded_by       VARCHAR NOT NULL,
    program_version VARCHAR NOT NULL,
    PRIMARY KEY (load_id),
    CHECK (status IN ('loaded', 'refused')),
    CHECK (batch_id <= load_id),
    CHECK (rows_read = rows_added + rows_superseded + rows_unchanged + rows_refused OR status = 'refused')
);
COMMENT ON TABLE loads IS 'One row for each file of each load: what came in, when, by whom';
COMMENT ON COLUMN loads.load_id IS 'Number of the load; later loads have larger numbers';
COMMENT ON COLUMN loads.batch_id IS 'The first load_id of the command that this file was part of; a batch is in whole or not at all';
COMMENT ON COLUMN loads.status IS 'loaded: its rows are in the book; refused: nothing of it is but its rejects';
COMMENT ON COLUMN loads.table_name IS 'The table that the rows went to';
COMMENT ON COLUMN loads.source IS 'The system that the rows come from';
COMMENT ON COLUMN loads.location IS 'The file or address read, without any secret';
COMMENT ON COLUMN loads.format IS 'csv, tsv, json, jsonl, parquet, excel';
COMMENT ON COLUMN loads.content_sha256 IS 'SHA-256 over the SHA-256 digests of the stored bytes in blocks of 8 MiB, lower-case hex';
COMMENT ON COLUMN loads.content_bytes IS 'Size of the bytes as stored';
COMMENT ON COLUMN loads.mapping IS 'How the load was asked for and understood, as JSON: what made these bytes into these rows';
COMMENT ON COLUMN loads.rows_read IS 'Data rows found in the source';
COMMENT ON COLUMN loads.rows_added IS 'Rows with a key that was new to the book';
COMMENT ON COLUMN loads.rows_superseded IS 'Rows of the book that got new content; the old is in history';
COMMENT ON COLUMN loads.rows_unchanged IS 'Rows that the book held already, repeats within the source included';
COMMENT ON COLUMN loads.rows_refused IS 'Rows that stand in rejects';
COMMENT ON COLUMN loads.first_at IS 'Earliest instant of the rows accepted';
COMMENT ON COLUMN loads.last_at IS 'Latest instant of the rows accepted';
COMMENT ON COLUMN loads.amount_usd IS 'Sum of the USD amounts accepted, to be compared with the source; NULL: the table has none';
COMMENT ON COLUMN loads.unpriced_rows IS 'Rows accepted whose USD amount is not known';
COMMENT ON COLUMN loads.started_at IS 'When reading began';
COMMENT ON COLUMN loads.committed_at IS 'When the load was recorded';
COMMENT ON COLUMN loads.loaded_by IS 'user@host that ran the load';
COMMENT ON COLUMN loads.program_version IS 'Version of pnlbook that ran the load';

CREATE TABLE rejects (
    reject_id   BIGINT NOT NULL,
    load_id     BIGINT NOT NULL,
    table_name  VARCHAR NOT NULL,
    location    VARCHAR NOT NULL,
    line        BIGINT,
    column_name VARCHAR,
    value       VARCHAR,
    reason      VARCHAR NOT NULL,
    raw         VARCHAR NOT NULL,
    PRIMARY KEY (reject_id)
);
COMMENT ON TABLE rejects IS 'Every refused row, whole, with the reason';
COMMENT ON COLUMN rejects.reject_id IS 'Number of the reject';
COMMENT ON COLUMN rejects.load_id IS 'The load that met the row';
COMMENT ON COLUMN rejects.table_name IS 'The table that the row was meant for';
COMMENT ON COLUMN rejects.location IS 'The file or address it stood in';
COMMENT ON COLUMN rejects.line IS 'Line of the file on which the row began; row number for Parquet and sheets; 1-based';
COMMENT ON COLUMN rejects.column_name IS 'The column that is wrong; NULL: the row as a whole';
COMMENT ON COLUMN rejects.value IS 'The value found there';
COMMENT ON COLUMN rejects.reason IS 'What is wrong and what to do';
COMMENT ON COLUMN rejects.raw IS 'The whole row as it was found: a JSON object of its cells, or the text that could not be taken apart';

CREATE TABLE token_prices (
    token       VARCHAR NOT NULL,
    priced_at   TIMESTAMPTZ NOT NULL,
    price_usd   DECIMAL(38, 18) NOT NULL,
    source      VARCHAR NOT NULL,
    source_key  VARCHAR NOT NULL,
    source_line BIGINT,
    load_id     BIGINT NOT NULL,
    PRIMARY KEY (token, priced_at),
    CHECK (price_usd >= 0),
    CHECK (token = upper(token))
);
COMMENT ON TABLE token_prices IS 'Prices of tokens in USD; an amount is valued at the last price at or before its instant';
COMMENT ON COLUMN token_prices.token IS 'Token or currency, upper case';
COMMENT ON COLUMN token_prices.priced_at IS 'Instant of the price';
COMMENT ON COLUMN token_prices.price_usd IS 'USD for one unit of the token';
COMMENT ON COLUMN token_prices.source IS 'The system that the row comes from';
COMMENT ON COLUMN token_prices.source_key IS 'Key of the row in its source; made from its content where the source has none';
COMMENT ON COLUMN token_prices.source_line IS 'Line of the file on which the row began; row number for Parquet and sheets; 1-based';
COMMENT ON COLUMN token_prices.load_id IS 'The load that brought this version of the row';

CREATE TABLE token_prices_history AS SELECT *, 0::BIGINT AS superseded_by FROM token_prices LIMIT 0;
ALTER TABLE token_prices_history ALTER superseded_by SET NOT NULL;
ALTER TABLE token_prices_history ADD PRIMARY KEY (token, priced_at, superseded_by);
COMMENT ON TABLE token_prices_history IS 'Replaced versions of token_prices';
COMMENT ON COLUMN token_prices_history.superseded_by IS 'The load that replaced this version';

CREATE TABLE nodes (
    node_id     VARCHAR NOT NULL,
    node_name   VARCHAR,
    node_type   VARCHAR,
    status      VARCHAR,
    owner       VARCHAR,
    created_at  TIMESTAMPTZ,
    source      VARCHAR NOT NULL,
    source_key  VARCHAR NOT NULL,
    source_line BIGINT,
    load_id     BIGINT NOT NULL,
    PRIMARY KEY (node_id)
);
COMMENT ON TABLE nodes IS 'Who earns and costs: agents, GPU and mining nodes';
COMMENT ON COLUMN nodes.node_id IS 'Identity of the node';
COMMENT ON COLUMN nodes.node_name IS 'Name shown to people';
COMMENT ON COLUMN nodes.node_type IS 'Kind of node, e.g. agent, gpu, miner';
COMMENT ON COLUMN nodes.status IS 'State as the source reports it';
COMMENT ON COLUMN nodes.owner IS 'Who runs the node';
COMMENT ON COLUMN nodes.created_at IS 'When the node came to be';
COMMENT ON COLUMN nodes.source IS 'The system that the row comes from';
COMMENT ON COLUMN nodes.source_key IS 'Key of the row in its source; made from its content where the source has none';
COMMENT ON COLUMN nodes.source_line IS 'Line of the file on which the row began; row number for Parquet and sheets; 1-based';
COMMENT ON COLUMN nodes.load_id IS 'The load that brought this version of the row';

CREATE TABLE nodes_history AS SELECT *, 0::BIGINT AS superseded_by FROM nodes LIMIT 0;
ALTER TABLE nodes_history ALTER superseded_by SET NOT NULL;
ALTER TABLE nodes_history ADD PRIMARY KEY (node_id, superseded_by);
COMMENT ON TABLE nodes_history IS 'Replaced versions of nodes';
COMMENT ON COLUMN nodes_history.superseded_by IS 'The load that replaced this version';

CREATE TABLE projects (
    project_id   VARCHAR NOT NULL,
    project_name VARCHAR,
    customer     VARCHAR,
    status       VARCHAR,
    created_at   TIMESTAMPTZ,
    completed_at TIMESTAMPTZ,
    source       VARCHAR NOT NULL,
    source_key   VARCHAR NOT NULL,
    source_line  BIGINT,
    load_id      BIGINT NOT NULL,
    PRIMARY KEY (project_id)
);
COMMENT ON TABLE projects IS 'What the nodes work on';
COMMENT ON COLUMN projects.project_id IS 'Identity of the project';
COMMENT ON COLUMN projects.project_name IS 'Name shown to people';
COMMENT ON COLUMN projects.customer IS 'Who pays for it';
COMMENT ON COLUMN projects.status IS 'State as the source reports it';
COMMENT ON COLUMN projects.created_at IS 'When it was begun';
COMMENT ON COLUMN projects.completed_at IS 'When it was completed';
COMMENT ON COLUMN projects.source IS 'The system that the row comes from';
COMMENT ON COLUMN projects.source_key IS 'Key of the row in its source; made from its content where the source has none';
COMMENT ON COLUMN projects.source_line IS 'Line of the file on which the row began; row number for Parquet and sheets; 1-based';
COMMENT ON COLUMN projects.load_id IS 'The load that brought this version of the row';

CREATE TABLE projects_history AS SELECT *, 0::BIGINT AS superseded_by FROM projects LIMIT 0;
ALTER TABLE projects_history ALTER superseded_by SET NOT NULL;
ALTER TABLE projects_history ADD PRIMARY KEY (project_id, superseded_by);
COMMENT ON TABLE projects_history IS 'Replaced versions of projects';
COMMENT ON COLUMN projects_history.superseded_by IS 'The load that replaced this version';

CREATE TABLE deployments (
    deployment_id   VARCHAR NOT NULL,
    node_id         VARCHAR,
    project_id      VARCHAR,
    deployment_type VARCHAR,
    provider        VARCHAR,
    status          VARCHAR,
    url             VARCHAR,
    deployed_at     TIMESTAMPTZ,
    ended_at        TIMESTAMPTZ,
    source          VARCHAR NOT NULL,
    source_key      VARCHAR NOT NULL,
    source_line     BIGINT,
    load_id         BIGINT NOT NULL,
    PRIMARY KEY (deployment_id)
);
COMMENT ON TABLE deployments IS 'Deployments of projects by nodes';
COMMENT ON COLUMN deployments.deployment_id IS 'Identity of the deployment';
COMMENT ON COLUMN deployments.node_id IS 'Node that deployed';
COMMENT ON COLUMN deployments.project_id IS 'Project deployed';
COMMENT ON COLUMN deployments.deployment_type IS 'e.g. frontend, backend';
COMMENT ON COLUMN deployments.provider IS 'Where it runs, e.g. arweave, akash';
COMMENT ON COLUMN deployments.status IS 'State as the source reports it';
COMMENT ON COLUMN deployments.url IS 'Address it answers at';
COMMENT ON COLUMN deployments.deployed_at IS 'When it went live';
COMMENT ON COLUMN deployments.ended_at IS 'When it was taken down; NULL: it runs';
COMMENT ON COLUMN deployments.source IS 'The system that the row comes from';
COMMENT ON COLUMN deployments.source_key IS 'Key of the row in its source; made from its content where the source has none';
COMMENT ON COLUMN deployments.source_line IS 'Line of the file on which the row began; row number for Parquet and sheets; 1-based';
COMMENT ON COLUMN deployments.load_id IS 'The load that brought this version of the row';

CREATE TABLE deployments_history AS SELECT *, 0::BIGINT AS superseded_by FROM deployments LIMIT 0;
ALTER TABLE deployments_history ALTER superseded_by SET NOT NULL;
ALTER TABLE deployments_history ADD PRIMARY KEY (deployment_id, superseded_by);
COMMENT ON TABLE deployments_history IS 'Replaced versions of deployments';
COMMENT ON COLUMN deployments_history.superseded_by IS 'The load that replaced this version';

CREATE TABLE deployment_costs (
    cost_id        BIGINT NOT NULL,
    node_id        VARCHAR,
    project_id     VARCHAR,
    deployment_id  VARCHAR,
    category       VARCHAR NOT NULL DEFAULT 'deployment',
    provider       VARCHAR,
    description    VARCHAR,
    amount_usd     DECIMAL(24, 12),
    token          VARCHAR,
    token_amount   DECIMAL(38, 18),
    cost_basis     VARCHAR NOT NULL DEFAULT 'actual',
    payment_status VARCHAR NOT NULL DEFAULT 'paid',
    incurred_at    TIMESTAMPTZ NOT NULL,
    paid_at        TIMESTAMPTZ,
    source         VARCHAR NOT NULL,
    source_key     VARCHAR NOT NULL,
    source_line    BIGINT,
    load_id        BIGINT NOT NULL,
    PRIMARY KEY (cost_id),
    CHECK (payment_status IN ('pending', 'paid', 'failed')),
    CHECK (cost_basis IN ('actual', 'list', 'estimate')),
    CHECK (amount_usd IS NOT NULL OR (token IS NOT NULL AND token_amount IS NOT NULL)),
    CHECK (category = lower(category) AND category <> '')
);
COMMENT ON TABLE deployment_costs IS 'Costs of running nodes and projects, one row an expense';
COMMENT ON COLUMN deployment_costs.cost_id IS 'Number of the row in this book';
COMMENT ON COLUMN deployment_costs.node_id IS 'Node that caused the cost; NULL or unknown: unattributed';
COMMENT ON COLUMN deployment_costs.project_id IS 'Project it was spent on; NULL or unknown: unattributed';
COMMENT ON COLUMN deployment_costs.deployment_id IS 'Deployment it belongs to';
COMMENT ON COLUMN deployment_costs.category IS 'Kind of cost, lower case, e.g. arweave, akash, compute, storage, energy, model';
COMMENT ON COLUMN deployment_costs.provider IS 'Who charges';
COMMENT ON COLUMN deployment_costs.description IS 'What was bought';
COMMENT ON COLUMN deployment_costs.amount_usd IS 'Cost in USD; negative: a refund; NULL: not known (unpriced)';
COMMENT ON COLUMN deployment_costs.token IS 'Currency or token of the original amount, upper case, e.g. SOL, AKT, EUR; NULL: USD';
COMMENT ON COLUMN deployment_costs.token_amount IS 'Original amount in units of the token';
COMMENT ON COLUMN deployment_costs.cost_basis IS 'actual: charged; list: list price; estimate';
COMMENT ON COLUMN deployment_costs.payment_status IS 'pending, paid or failed; failed counts in no figure';
COMMENT ON COLUMN deployment_costs.incurred_at IS 'When the cost arose (accrual)';
COMMENT ON COLUMN deployment_costs.paid_at IS 'When it was paid (cash)';
COMMENT ON COLUMN deployment_costs.source IS 'The system that the row comes from';
COMMENT ON COLUMN deployment_costs.source_key IS 'Key of the row in its source; made from its content where the source has none';
COMMENT ON COLUMN deployment_costs.source_line IS 'Line of the file on which the row began; row number for Parquet and sheets; 1-based';
COMMENT ON COLUMN deployment_costs.load_id IS 'The load that brought this version of the row';

CREATE TABLE deployment_costs_history AS SELECT *, 0::BIGINT AS superseded_by FROM deployment_costs LIMIT 0;
ALTER TABLE deployment_costs_history ALTER superseded_by SET NOT NULL;
ALTER TABLE deployment_costs_history ADD PRIMARY KEY (cost_id, superseded_by);
COMMENT ON TABLE deployment_costs_history IS 'Replaced versions of deployment_costs';
COMMENT ON COLUMN deployment_costs_history.superseded_by IS 'The load that replaced this version';

CREATE TABLE arweave_uploads (
    upload_id     VARCHAR NOT NULL,
    deployment_id VARCHAR,
    node_id       VARCHAR,
    project_id    VARCHAR,
    tx_id         VARCHAR,
    arweave_url   VARCHAR,
    size_bytes    BIGINT,
    cost_sol      DECIMAL(38, 18),
    cost_usd      DECIMAL(24, 12),
    uploaded_at   TIMESTAMPTZ NOT NULL,
    source        VARCHAR NOT NULL,
    source_key    VARCHAR NOT NULL,
    source_line   BIGINT,
    load_id       BIGINT NOT NULL,
    PRIMARY KEY (upload_id),
    CHECK (size_bytes >= 0)
);
COMMENT ON TABLE arweave_uploads IS 'Details of uploads to Arweave; their cost stands in deployment_costs, once';
COMMENT ON COLUMN arweave_uploads.upload_id IS 'Identity of the upload';
COMMENT ON COLUMN arweave_uploads.deployment_id IS 'Deployment it was made for';
COMMENT ON COLUMN arweave_uploads.node_id IS 'Node that uploaded';
COMMENT ON COLUMN arweave_uploads.project_id IS 'Project uploaded';
COMMENT ON COLUMN arweave_uploads.tx_id IS 'Arweave transaction or data item id';
COMMENT ON COLUMN arweave_uploads.arweave_url IS 'Address it is served at';
COMMENT ON COLUMN arweave_uploads.size_bytes IS 'Bytes uploaded';
COMMENT ON COLUMN arweave_uploads.cost_sol IS 'Cost in SOL';
COMMENT ON COLUMN arweave_uploads.cost_usd IS 'Cost in USD at the time; detail only, not counted again';
COMMENT ON COLUMN arweave_uploads.uploaded_at IS 'When it was uploaded';
COMMENT ON COLUMN arweave_uploads.source IS 'The system that the row comes from';
COMMENT ON COLUMN arweave_uploads.source_key IS 'Key of the row in its source; made from its content where the source has none';
COMMENT ON COLUMN arweave_uploads.source_line IS 'Line of the file on which the row began; row number for Parquet and sheets; 1-based';
COMMENT ON COLUMN arweave_uploads.load_id IS 'The load that brought this version of the row';

CREATE TABLE arweave_uploads_history AS SELECT *, 0::BIGINT AS superseded_by FROM arweave_uploads LIMIT 0;
ALTER TABLE arweave_uploads_history ALTER superseded_by SET NOT NULL;
ALTER TABLE arweave_uploads_history ADD PRIMARY KEY (upload_id, superseded_by);
COMMENT ON TABLE arweave_uploads_history IS 'Replaced versions of arweave_uploads';
COMMENT ON COLUMN arweave_uploads_history.superseded_by IS 'The load that replaced this version';

CREATE TABLE akash_deployments (
    akash_id           VARCHAR NOT NULL,
    deployment_id      VARCHAR,
    node_id            VARCHAR,
    project_id         VARCHAR,
    dseq               VARCHAR,
    provider           VARCHAR,
    price_akt_per_hour DECIMAL(38, 18),
    cost_akt           DECIMAL(38, 18),
    cost_usd           DECIMAL(24, 12),
    started_at         TIMESTAMPTZ NOT NULL,
    closed_at          TIMESTAMPTZ,
    source             VARCHAR NOT NULL,
    source_key         VARCHAR NOT NULL,
    source_line        BIGINT,
    load_id            BIGINT NOT NULL,
    PRIMARY KEY (akash_id)
);
COMMENT ON TABLE akash_deployments IS 'Details of leases on Akash; their cost stands in deployment_costs, once';
COMMENT ON COLUMN akash_deployments.akash_id IS 'Identity of the lease';
COMMENT ON COLUMN akash_deployments.deployment_id IS 'Deployment it was made for';
COMMENT ON COLUMN akash_deployments.node_id IS 'Node that deployed';
COMMENT ON COLUMN akash_deployments.project_id IS 'Project deployed';
COMMENT ON COLUMN akash_deployments.dseq IS 'Deployment sequence on Akash';
COMMENT ON COLUMN akash_deployments.provider IS 'Provider''s address';
COMMENT ON COLUMN akash_deployments.price_akt_per_hour IS 'Price of the lease in AKT an hour';
COMMENT ON COLUMN akash_deployments.cost_akt IS 'Cost in AKT so far';
COMMENT ON COLUMN akash_deployments.cost_usd IS 'Cost in USD at the time; detail only, not counted again';
COMMENT ON COLUMN akash_deployments.started_at IS 'When the lease began';
COMMENT ON COLUMN akash_deployments.closed_at IS 'When it was closed; NULL: it runs';
COMMENT ON COLUMN akash_deployments.source IS 'The system that the row comes from';
COMMENT ON COLUMN akash_deployments.source_key IS 'Key of the row in its source; made from its content where the source has none';
COMMENT ON COLUMN akash_deployments.source_line IS 'Line of the file on which the row began; row number for Parquet and sheets; 1-based';
COMMENT ON COLUMN akash_deployments.load_id IS 'The load that brought this version of the row';

CREATE TABLE akash_deployments_history AS SELECT *, 0::BIGINT AS superseded_by FROM akash_deployments LIMIT 0;
ALTER TABLE akash_deployments_history ALTER superseded_by SET NOT NULL;
ALTER TABLE akash_deployments_history ADD PRIMARY KEY (akash_id, superseded_by);
COMMENT ON TABLE akash_deployments_history IS 'Replaced versions of akash_deployments';
COMMENT ON COLUMN akash_deployments_history.superseded_by IS 'The load that replaced this version';

CREATE TABLE node_earnings (
    earning_id         BIGINT NOT NULL,
    node_id            VARCHAR,
    project_id         VARCHAR,
    gross_amount_usd   DECIMAL(24, 12),
    costs_deducted_usd DECIMAL(24, 12),
    amount_usd         DECIMAL(24, 12),
    net_of_costs       BOOLEAN NOT NULL DEFAULT false,
    is_correction      BOOLEAN NOT NULL DEFAULT false,
    token              VARCHAR,
    token_amount       DECIMAL(38, 18),
    payment_type       VARCHAR NOT NULL,
    payment_status     VARCHAR NOT NULL,
    earned_at          TIMESTAMPTZ NOT NULL,
    paid_at            TIMESTAMPTZ,
    source             VARCHAR NOT NULL,
    source_key         VARCHAR NOT NULL,
    source_line        BIGINT,
    load_id            BIGINT NOT NULL,
    PRIMARY KEY (earning_id),
    CHECK (payment_type IN ('project_completion', 'milestone', 'bonus', 'project_fee')),
    CHECK (payment_status IN ('pending', 'paid', 'failed')),
    CHECK (amount_usd = gross_amount_usd - costs_deducted_usd),
    CHECK (amount_usd >= 0 OR is_correction),
    CHECK (amount_usd IS NOT NULL OR (token IS NOT NULL AND token_amount IS NOT NULL))
);
COMMENT ON TABLE node_earnings IS 'What nodes earned, one row a payment';
COMMENT ON COLUMN node_earnings.earning_id IS 'Number of the row in this book';
COMMENT ON COLUMN node_earnings.node_id IS 'Node that earned; NULL or unknown: unattributed';
COMMENT ON COLUMN node_earnings.project_id IS 'Project it was earned on; NULL or unknown: unattributed';
COMMENT ON COLUMN node_earnings.gross_amount_usd IS 'Earned before costs were deducted; NULL: not known';
COMMENT ON COLUMN node_earnings.costs_deducted_usd IS 'Costs already deducted from this payment; NULL: not known';
COMMENT ON COLUMN node_earnings.amount_usd IS 'Paid out: gross less deducted; negative only in a correction; NULL: not known (unpriced)';
COMMENT ON COLUMN node_earnings.net_of_costs IS 'true: the source deducted costs by itself; what it deducted is not subtracted again';
COMMENT ON COLUMN node_earnings.is_correction IS 'true: the row corrects earlier ones and may be negative';
COMMENT ON COLUMN node_earnings.token IS 'Currency or token of the original amount, upper case, e.g. SOL, AKT, EUR; NULL: USD';
COMMENT ON COLUMN node_earnings.token_amount IS 'Original amount in units of the token';
COMMENT ON COLUMN node_earnings.payment_type IS 'project_completion, milestone, bonus or project_fee';
COMMENT ON COLUMN node_earnings.payment_status IS 'pending, paid or failed; failed counts in no figure';
COMMENT ON COLUMN node_earnings.earned_at IS 'When it was earned (accrual)';
COMMENT ON COLUMN node_earnings.paid_at IS 'When it was paid (cash)';
COMMENT ON COLUMN node_earnings.source IS 'The system that the row comes from';
COMMENT ON COLUMN node_earnings.source_key IS 'Key of the row in its source; made from its content where the source has none';
COMMENT ON COLUMN node_earnings.source_line IS 'Line of the file on which the row began; row number for Parquet and sheets; 1-based';
COMMENT ON COLUMN node_earnings.load_id IS 'The load that brought this version of the row';

CREATE TABLE node_earnings_history AS SELECT *, 0::BIGINT AS superseded_by FROM node_earnings LIMIT 0;
ALTER TABLE node_earnings_history ALTER superseded_by SET NOT NULL;
ALTER TABLE node_earnings_history ADD PRIMARY KEY (earning_id, superseded_by);
COMMENT ON TABLE node_earnings_history IS 'Replaced versions of node_earnings';
COMMENT ON COLUMN node_earnings_history.superseded_by IS 'The load that replaced this version';

CREATE TABLE marketplace_revenue (
    revenue_id     BIGINT NOT NULL,
    project_id     VARCHAR,
    amount_usd     DECIMAL(24, 12),
    token          VARCHAR,
    token_amount   DECIMAL(38, 18),
    fee_type       VARCHAR NOT NULL,
    fee_percentage DECIMAL(9, 6),
    collected_at   TIMESTAMPTZ NOT NULL,
    source         VARCHAR NOT NULL,
    source_key     VARCHAR NOT NULL,
    source_line    BIGINT,
    load_id        BIGINT NOT NULL,
    PRIMARY KEY (revenue_id),
    CHECK (fee_type IN ('platform_fee', 'listing_fee', 'transaction_fee')),
    CHECK (fee_percentage BETWEEN 0 AND 100),
    CHECK (amount_usd IS NOT NULL OR (token IS NOT NULL AND token_amount IS NOT NULL))
);
COMMENT ON TABLE marketplace_revenue IS 'Fees that the platform collected';
COMMENT ON COLUMN marketplace_revenue.revenue_id IS 'Number of the row in this book';
COMMENT ON COLUMN marketplace_revenue.project_id IS 'Project the fee was taken from; NULL or unknown: unattributed';
COMMENT ON COLUMN marketplace_revenue.amount_usd IS 'Fee in USD; negative: a refund; NULL: not known (unpriced)';
COMMENT ON COLUMN marketplace_revenue.token IS 'Currency or token of the original amount, upper case, e.g. SOL, AKT, EUR; NULL: USD';
COMMENT ON COLUMN marketplace_revenue.token_amount IS 'Original amount in units of the token';
COMMENT ON COLUMN marketplace_revenue.fee_type IS 'platform_fee, listing_fee or transaction_fee';
COMMENT ON COLUMN marketplace_revenue.fee_percentage IS 'Rate of the fee in percent';
COMMENT ON COLUMN marketplace_revenue.collected_at IS 'When it was collected (accrual and cash)';
COMMENT ON COLUMN marketplace_revenue.source IS 'The system that the row comes from';
COMMENT ON COLUMN marketplace_revenue.source_key IS 'Key of the row in its source; made from its content where the source has none';
COMMENT ON COLUMN marketplace_revenue.source_line IS 'Line of the file on which the row began; row number for Parquet and sheets; 1-based';
COMMENT ON COLUMN marketplace_revenue.load_id IS 'The load that brought this version of the row';

CREATE TABLE marketplace_revenue_history AS SELECT *, 0::BIGINT AS superseded_by FROM marketplace_revenue LIMIT 0;
ALTER TABLE marketplace_revenue_history ALTER superseded_by SET NOT NULL;
ALTER TABLE marketplace_revenue_history ADD PRIMARY KEY (revenue_id, superseded_by);
COMMENT ON TABLE marketplace_revenue_history IS 'Replaced versions of marketplace_revenue';
COMMENT ON COLUMN marketplace_revenue_history.superseded_by IS 'The load that replaced this version';

CREATE TABLE subscription_revenue (
    revenue_id      BIGINT NOT NULL,
    subscription_id VARCHAR,
    customer        VARCHAR,
    plan            VARCHAR,
    amount_usd      DECIMAL(24, 12),
    token           VARCHAR,
    token_amount    DECIMAL(38, 18),
    payment_status  VARCHAR NOT NULL DEFAULT 'paid',
    billed_at       TIMESTAMPTZ NOT NULL,
    paid_at         TIMESTAMPTZ,
    period_start    TIMESTAMPTZ,
    period_end      TIMESTAMPTZ,
    source          VARCHAR NOT NULL,
    source_key      VARCHAR NOT NULL,
    source_line     BIGINT,
    load_id         BIGINT NOT NULL,
    PRIMARY KEY (revenue_id),
    CHECK (payment_status IN ('pending', 'paid', 'failed')),
    CHECK (period_start < period_end),
    CHECK (amount_usd IS NOT NULL OR (token IS NOT NULL AND token_amount IS NOT NULL))
);
COMMENT ON TABLE subscription_revenue IS 'Income from subscriptions, one row a bill';
COMMENT ON COLUMN subscription_revenue.revenue_id IS 'Number of the row in this book';
COMMENT ON COLUMN subscription_revenue.subscription_id IS 'Subscription billed';
COMMENT ON COLUMN subscription_revenue.customer IS 'Who pays';
COMMENT ON COLUMN subscription_revenue.plan IS 'Plan billed';
COMMENT ON COLUMN subscription_revenue.amount_usd IS 'Billed in USD; negative: a refund; NULL: not known (unpriced)';
COMMENT ON COLUMN subscription_revenue.token IS 'Currency or token of the original amount, upper case, e.g. SOL, AKT, EUR; NULL: USD';
COMMENT ON COLUMN subscription_revenue.token_amount IS 'Original amount in units of the token';
COMMENT ON COLUMN subscription_revenue.payment_status IS 'pending, paid or failed; failed counts in no figure';
COMMENT ON COLUMN subscription_revenue.billed_at IS 'When it was billed (accrual)';
COMMENT ON COLUMN subscription_revenue.paid_at IS 'When it was paid (cash)';
COMMENT ON COLUMN subscription_revenue.period_start IS 'Start of the period billed';
COMMENT ON COLUMN subscription_revenue.period_end IS 'End of the period billed, exclusive';
COMMENT ON COLUMN subscription_revenue.source IS 'The system that the row comes from';
COMMENT ON COLUMN subscription_revenue.source_key IS 'Key of the row in its source; made from its content where the source has none';
COMMENT ON COLUMN subscription_revenue.source_line IS 'Line of the file on which the row began; row number for Parquet and sheets; 1-based';
COMMENT ON COLUMN subscription_revenue.load_id IS 'The load that brought this version of the row';

CREATE TABLE subscription_revenue_history AS SELECT *, 0::BIGINT AS superseded_by FROM subscription_revenue LIMIT 0;
ALTER TABLE subscription_revenue_history ALTER superseded_by SET NOT NULL;
ALTER TABLE subscription_revenue_history ADD PRIMARY KEY (revenue_id, superseded_by);
COMMENT ON TABLE subscription_revenue_history IS 'Replaced versions of subscription_revenue';
COMMENT ON COLUMN subscription_revenue_history.superseded_by IS 'The load that replaced this version';

CREATE TABLE arweave_backups (
    backup_id             VARCHAR NOT NULL,
    tx_id                 VARCHAR,
    arweave_url           VARCHAR,
    backup_type           VARCHAR NOT NULL,
    sequence_number       BIGINT,
    file_size_bytes       BIGINT NOT NULL,
    compressed_size_bytes BIGINT NOT NULL,
    encrypted             BOOLEAN NOT NULL DEFAULT true,
    checksum_sha256       VARCHAR NOT NULL,
    cost_sol              DECIMAL(38, 18),
    cost_usd              DECIMAL(24, 12),
    created_at            TIMESTAMPTZ NOT NULL DEFAULT current_timestamp,
    restorable            BOOLEAN NOT NULL DEFAULT true,
    vaults                VARCHAR[] NOT NULL DEFAULT [],
    PRIMARY KEY (backup_id),
    CHECK (backup_type IN ('full', 'incremental', 'schema', 'data')),
    CHECK (file_size_bytes >= 0 AND compressed_size_bytes >= 0),
    CHECK (regexp_full_match(checksum_sha256, '[0-9a-f]{64}'))
);
COMMENT ON TABLE arweave_backups IS 'Every backup made of the book; its cost is a cost of the P&L (category backup)';
COMMENT ON COLUMN arweave_backups.backup_id IS 'Identity of the backup';
COMMENT ON COLUMN arweave_backups.tx_id IS 'Arweave id of the object; NULL: it is on no permanent store';
COMMENT ON COLUMN arweave_backups.arweave_url IS 'Address of the object; NULL as tx_id';
COMMENT ON COLUMN arweave_backups.backup_type IS 'full, incremental, schema or data';
COMMENT ON COLUMN arweave_backups.sequence_number IS 'Place of the backup in the chain of manifests';
COMMENT ON COLUMN arweave_backups.file_size_bytes IS 'Bytes of the book''s contents before packing';
COMMENT ON COLUMN arweave_backups.compressed_size_bytes IS 'Bytes of the object stored';
COMMENT ON COLUMN arweave_backups.encrypted IS 'Whether the object is encrypted';
COMMENT ON COLUMN arweave_backups.checksum_sha256 IS 'SHA-256 of the object, lower-case hex';
COMMENT ON COLUMN arweave_backups.cost_sol IS 'Cost in SOL; NULL: not known';
COMMENT ON COLUMN arweave_backups.cost_usd IS 'Cost in USD at the time; NULL: not known';
COMMENT ON COLUMN arweave_backups.created_at IS 'When the backup was made';
COMMENT ON COLUMN arweave_backups.restorable IS 'false: known to be lost or broken';
COMMENT ON COLUMN arweave_backups.vaults IS 'Names of the vaults that hold a copy';

CREATE TABLE backup_schedules (
    schedule_name  VARCHAR NOT NULL,
    backup_type    VARCHAR NOT NULL,
    cron           VARCHAR NOT NULL,
    enabled        BOOLEAN NOT NULL DEFAULT true,
    last_run_at    TIMESTAMPTZ,
    last_backup_id VARCHAR,
    PRIMARY KEY (schedule_name),
    CHECK (backup_type IN ('full', 'incremental', 'schema', 'data'))
);
COMMENT ON TABLE backup_schedules IS 'When which backup is due';
COMMENT ON COLUMN backup_schedules.schedule_name IS 'Name of the schedule';
COMMENT ON COLUMN backup_schedules.backup_type IS 'full, incremental, schema or data';
COMMENT ON COLUMN backup_schedules.cron IS 'Cron expression of five fields, in UTC';
COMMENT ON COLUMN backup_schedules.enabled IS 'Whether it runs';
COMMENT ON COLUMN backup_schedules.last_run_at IS 'Last time it ran';
COMMENT ON COLUMN backup_schedules.last_backup_id IS 'Backup it made then';

CREATE TABLE backup_restore_log (
    restore_id    BIGINT NOT NULL,
    backup_id     VARCHAR NOT NULL,
    kind          VARCHAR NOT NULL,
    vault         VARCHAR,
    started_at    TIMESTAMPTZ NOT NULL,
    finished_at   TIMESTAMPTZ,
    success       BOOLEAN,
    rows_restored BIGINT,
    target        VARCHAR,
    error_message VARCHAR,
    PRIMARY KEY (restore_id),
    CHECK (kind IN ('restore', 'drill'))
);
COMMENT ON TABLE backup_restore_log IS 'Every restore and drill with its result';
COMMENT ON COLUMN backup_restore_log.restore_id IS 'Number of the restore';
COMMENT ON COLUMN backup_restore_log.backup_id IS 'Backup restored';
COMMENT ON COLUMN backup_restore_log.kind IS 'restore or drill';
COMMENT ON COLUMN backup_restore_log.vault IS 'Vault read from';
COMMENT ON COLUMN backup_restore_log.started_at IS 'When it began';
COMMENT ON COLUMN backup_restore_log.finished_at IS 'When it ended';
COMMENT ON COLUMN backup_restore_log.success IS 'Whether everything compared equal; NULL: it did not end';
COMMENT ON COLUMN backup_restore_log.rows_restored IS 'Rows brought back';
COMMENT ON COLUMN backup_restore_log.target IS 'Where to';
COMMENT ON COLUMN backup_restore_log.error_message IS 'What went wrong';

CREATE TABLE work_sessions (
    session_id             VARCHAR NOT NULL,
    node_id                VARCHAR,
    project_id             VARCHAR,
    session_type           VARCHAR,
    status                 VARCHAR NOT NULL DEFAULT 'in_progress',
    description            VARCHAR,
    initial_prompt         VARCHAR,
    final_deliverable      VARCHAR,
    environment            VARCHAR,
    agent                  VARCHAR,
    started_at             TIMESTAMPTZ NOT NULL,
    completed_at           TIMESTAMPTZ,
    total_duration_seconds DECIMAL(18, 6),
    source                 VARCHAR NOT NULL,
    source_key             VARCHAR NOT NULL,
    source_line            BIGINT,
    load_id                BIGINT NOT NULL,
    PRIMARY KEY (session_id),
    CHECK (status IN ('in_progress', 'completed', 'failed')),
    CHECK (total_duration_seconds >= 0)
);
COMMENT ON TABLE work_sessions IS 'Periods of work';
COMMENT ON COLUMN work_sessions.session_id IS 'Identity of the session';
COMMENT ON COLUMN work_sessions.node_id IS 'Node that worked; NULL or unknown: unattributed';
COMMENT ON COLUMN work_sessions.project_id IS 'Project worked on; NULL or unknown: unattributed';
COMMENT ON COLUMN work_sessions.session_type IS 'e.g. development, deployment, debugging, testing';
COMMENT ON COLUMN work_sessions.status IS 'in_progress, completed or failed';
COMMENT ON COLUMN work_sessions.description IS 'What it was about';
COMMENT ON COLUMN work_sessions.initial_prompt IS 'What was asked';
COMMENT ON COLUMN work_sessions.final_deliverable IS 'What came out';
COMMENT ON COLUMN work_sessions.environment IS 'e.g. production';
COMMENT ON COLUMN work_sessions.agent IS 'Program that worked, e.g. claude-code';
COMMENT ON COLUMN work_sessions.started_at IS 'When it began';
COMMENT ON COLUMN work_sessions.completed_at IS 'When it ended; NULL: it runs or was never closed';
COMMENT ON COLUMN work_sessions.total_duration_seconds IS 'Seconds spent, as the source says';
COMMENT ON COLUMN work_sessions.source IS 'The system that the row comes from';
COMMENT ON COLUMN work_sessions.source_key IS 'Key of the row in its source; made from its content where the source has none';
COMMENT ON COLUMN work_sessions.source_line IS 'Line of the file on which the row began; row number for Parquet and sheets; 1-based';
COMMENT ON COLUMN work_sessions.load_id IS 'The load that brought this version of the row';

CREATE TABLE work_sessions_history AS SELECT *, 0::BIGINT AS superseded_by FROM work_sessions LIMIT 0;
ALTER TABLE work_sessions_history ALTER superseded_by SET NOT NULL;
ALTER TABLE work_sessions_history ADD PRIMARY KEY (session_id, superseded_by);
COMMENT ON TABLE work_sessions_history IS 'Replaced versions of work_sessions';
COMMENT ON COLUMN work_sessions_history.superseded_by IS 'The load that replaced this version';

CREATE TABLE work_tasks (
    task_id        VARCHAR NOT NULL,
    session_id     VARCHAR,
    node_id        VARCHAR,
    project_id     VARCHAR,
    task_type      VARCHAR,
    task_name      VARCHAR,
    status         VARCHAR NOT NULL DEFAULT 'in_progress',
    success        BOOLEAN,
    tools_used     VARCHAR[],
    output_summary VARCHAR,
    error_message  VARCHAR,
    started_at     TIMESTAMPTZ NOT NULL,
    completed_at   TIMESTAMPTZ,
    source         VARCHAR NOT NULL,
    source_key     VARCHAR NOT NULL,
    source_line    BIGINT,
    load_id        BIGINT NOT NULL,
    PRIMARY KEY (task_id),
    CHECK (status IN ('in_progress', 'completed', 'failed'))
);
COMMENT ON TABLE work_tasks IS 'Tasks within sessions';
COMMENT ON COLUMN work_tasks.task_id IS 'Identity of the task';
COMMENT ON COLUMN work_tasks.session_id IS 'Session it belongs to';
COMMENT ON COLUMN work_tasks.node_id IS 'Node that worked; NULL or unknown: unattributed';
COMMENT ON COLUMN work_tasks.project_id IS 'Project worked on; NULL or unknown: unattributed';
COMMENT ON COLUMN work_tasks.task_type IS 'e.g. code_generation, file_edit, deployment';
COMMENT ON COLUMN work_tasks.task_name IS 'What it was';
COMMENT ON COLUMN work_tasks.status IS 'in_progress, completed or failed';
COMMENT ON COLUMN work_tasks.success IS 'Whether it succeeded; NULL: not known';
COMMENT ON COLUMN work_tasks.tools_used IS 'Tools named for it';
COMMENT ON COLUMN work_tasks.output_summary IS 'What came out';
COMMENT ON COLUMN work_tasks.error_message IS 'Why it failed';
COMMENT ON COLUMN work_tasks.started_at IS 'When it began';
COMMENT ON COLUMN work_tasks.completed_at IS 'When it ended';
COMMENT ON COLUMN work_tasks.source IS 'The system that the row comes from';
COMMENT ON COLUMN work_tasks.source_key IS 'Key of the row in its source; made from its content where the source has none';
COMMENT ON COLUMN work_tasks.source_line IS 'Line of the file on which the row began; row number for Parquet and sheets; 1-based';
COMMENT ON COLUMN work_tasks.load_id IS 'The load that brought this version of the row';

CREATE TABLE work_tasks_history AS SELECT *, 0::BIGINT AS superseded_by FROM work_tasks LIMIT 0;
ALTER TABLE work_tasks_history ALTER superseded_by SET NOT NULL;
ALTER TABLE work_tasks_history ADD PRIMARY KEY (task_id, superseded_by);
COMMENT ON TABLE work_tasks_history IS 'Replaced versions of work_tasks';
COMMENT ON COLUMN work_tasks_history.superseded_by IS 'The load that replaced this version';

CREATE TABLE file_changes (
    change_id         BIGINT NOT NULL,
    session_id        VARCHAR,
    task_id           VARCHAR,
    node_id           VARCHAR,
    project_id        VARCHAR,
    file_path         VARCHAR NOT NULL,
    change_type       VARCHAR NOT NULL,
    old_path          VARCHAR,
    lines_added       BIGINT,
    lines_deleted     BIGINT,
    lines_modified    BIGINT,
    size_before_bytes BIGINT,
    size_after_bytes  BIGINT,
    diff              VARCHAR,
    changed_at        TIMESTAMPTZ NOT NULL,
    source            VARCHAR NOT NULL,
    source_key        VARCHAR NOT NULL,
    source_line       BIGINT,
    load_id           BIGINT NOT NULL,
    PRIMARY KEY (change_id),
    CHECK (change_type IN ('created', 'modified', 'deleted', 'renamed')),
    CHECK (lines_added >= 0 AND lines_deleted >= 0 AND lines_modified >= 0)
);
COMMENT ON TABLE file_changes IS 'Changes of files';
COMMENT ON COLUMN file_changes.change_id IS 'Number of the row in this book';
COMMENT ON COLUMN file_changes.session_id IS 'Session it belongs to';
COMMENT ON COLUMN file_changes.task_id IS 'Task it belongs to';
COMMENT ON COLUMN file_changes.node_id IS 'Node that worked; NULL or unknown: unattributed';
COMMENT ON COLUMN file_changes.project_id IS 'Project worked on; NULL or unknown: unattributed';
COMMENT ON COLUMN file_changes.file_path IS 'File changed';
COMMENT ON COLUMN file_changes.change_type IS 'created, modified, deleted or renamed';
COMMENT ON COLUMN file_changes.old_path IS 'Path before a rename';
COMMENT ON COLUMN file_changes.lines_added IS 'Lines added; NULL: not known (binary)';
COMMENT ON COLUMN file_changes.lines_deleted IS 'Lines deleted; NULL: not known (binary)';
COMMENT ON COLUMN file_changes.lines_modified IS 'Lines modified, where the source counts them apart';
COMMENT ON COLUMN file_changes.size_before_bytes IS 'Size before';
COMMENT ON COLUMN file_changes.size_after_bytes IS 'Size after';
COMMENT ON COLUMN file_changes.diff IS 'The change itself, where it is kept';
COMMENT ON COLUMN file_changes.changed_at IS 'When it was made';
COMMENT ON COLUMN file_changes.source IS 'The system that the row comes from';
COMMENT ON COLUMN file_changes.source_key IS 'Key of the row in its source; made from its content where the source has none';
COMMENT ON COLUMN file_changes.source_line IS 'Line of the file on which the row began; row number for Parquet and sheets; 1-based';
COMMENT ON COLUMN file_changes.load_id IS 'The load that brought this version of the row';

CREATE TABLE file_changes_history AS SELECT *, 0::BIGINT AS superseded_by FROM file_changes LIMIT 0;
ALTER TABLE file_changes_history ALTER superseded_by SET NOT NULL;
ALTER TABLE file_changes_history ADD PRIMARY KEY (change_id, superseded_by);
COMMENT ON TABLE file_changes_history IS 'Replaced versions of file_changes';
COMMENT ON COLUMN file_changes_history.superseded_by IS 'The load that replaced this version';

CREATE TABLE tool_usage (
    usage_id          BIGINT NOT NULL,
    session_id        VARCHAR,
    task_id           VARCHAR,
    node_id           VARCHAR,
    project_id        VARCHAR,
    tool_name         VARCHAR NOT NULL,
    tool_category     VARCHAR,
    invocation_count  BIGINT NOT NULL DEFAULT 1,
    success_count     BIGINT,
    total_duration_ms DECIMAL(18, 3),
    error_class       VARCHAR,
    used_at           TIMESTAMPTZ NOT NULL,
    source            VARCHAR NOT NULL,
    source_key        VARCHAR NOT NULL,
    source_line       BIGINT,
    load_id           BIGINT NOT NULL,
    PRIMARY KEY (usage_id),
    CHECK (invocation_count >= 0 AND success_count BETWEEN 0 AND invocation_count),
    CHECK (total_duration_ms >= 0)
);
COMMENT ON TABLE tool_usage IS 'Invocations of tools';
COMMENT ON COLUMN tool_usage.usage_id IS 'Number of the row in this book';
COMMENT ON COLUMN tool_usage.session_id IS 'Session it belongs to';
COMMENT ON COLUMN tool_usage.task_id IS 'Task it belongs to';
COMMENT ON COLUMN tool_usage.node_id IS 'Node that worked; NULL or unknown: unattributed';
COMMENT ON COLUMN tool_usage.project_id IS 'Project worked on; NULL or unknown: unattributed';
COMMENT ON COLUMN tool_usage.tool_name IS 'Tool invoked';
COMMENT ON COLUMN tool_usage.tool_category IS 'Kind of tool';
COMMENT ON COLUMN tool_usage.invocation_count IS 'Invocations that the row stands for';
COMMENT ON COLUMN tool_usage.success_count IS 'Those that succeeded; NULL: not known';
COMMENT ON COLUMN tool_usage.total_duration_ms IS 'Milliseconds spent in all; NULL: not known';
COMMENT ON COLUMN tool_usage.error_class IS 'tool, exit_code, hook_block, user_reject, timeout or api; NULL: no error';
COMMENT ON COLUMN tool_usage.used_at IS 'When it was first invoked';
COMMENT ON COLUMN tool_usage.source IS 'The system that the row comes from';
COMMENT ON COLUMN tool_usage.source_key IS 'Key of the row in its source; made from its content where the source has none';
COMMENT ON COLUMN tool_usage.source_line IS 'Line of the file on which the row began; row number for Parquet and sheets; 1-based';
COMMENT ON COLUMN tool_usage.load_id IS 'The load that brought this version of the row';

CREATE TABLE tool_usage_history AS SELECT *, 0::BIGINT AS superseded_by FROM tool_usage LIMIT 0;
ALTER TABLE tool_usage_history ALTER superseded_by SET NOT NULL;
ALTER TABLE tool_usage_history ADD PRIMARY KEY (usage_id, superseded_by);
COMMENT ON TABLE tool_usage_history IS 'Replaced versions of tool_usage';
COMMENT ON COLUMN tool_usage_history.superseded_by IS 'The load that replaced this version';

CREATE TABLE communication_log (
    message_id            VARCHAR NOT NULL,
    session_id            VARCHAR,
    task_id               VARCHAR,
    node_id               VARCHAR,
    project_id            VARCHAR,
    parent_message_id     VARCHAR,
    role                  VARCHAR NOT NULL,
    model                 VARCHAR,
    content               VARCHAR,
    content_chars         BIGINT,
    input_tokens          BIGINT,
    cache_read_tokens     BIGINT,
    cache_write_5m_tokens BIGINT,
    cache_write_1h_tokens BIGINT,
    output_tokens         BIGINT,
    usage_final           BOOLEAN,
    sent_at               TIMESTAMPTZ NOT NULL,
    source                VARCHAR NOT NULL,
    source_key            VARCHAR NOT NULL,
    source_line           BIGINT,
    load_id               BIGINT NOT NULL,
    PRIMARY KEY (message_id),
    CHECK (role IN ('user', 'assistant', 'system'))
);
COMMENT ON TABLE communication_log IS 'Messages between people and models';
COMMENT ON COLUMN communication_log.message_id IS 'Identity of the message';
COMMENT ON COLUMN communication_log.session_id IS 'Session it belongs to';
COMMENT ON COLUMN communication_log.task_id IS 'Task it belongs to';
COMMENT ON COLUMN communication_log.node_id IS 'Node that worked; NULL or unknown: unattributed';
COMMENT ON COLUMN communication_log.project_id IS 'Project worked on; NULL or unknown: unattributed';
COMMENT ON COLUMN communication_log.parent_message_id IS 'Message it answers';
COMMENT ON COLUMN communication_log.role IS 'user, assistant or system';
COMMENT ON COLUMN communication_log.model IS 'Model that wrote it';
COMMENT ON COLUMN communication_log.content IS 'Text, where it is kept';
COMMENT ON COLUMN communication_log.content_chars IS 'Length of the text in characters';
COMMENT ON COLUMN communication_log.input_tokens IS 'Uncached input tokens';
COMMENT ON COLUMN communication_log.cache_read_tokens IS 'Input tokens read from a cache';
COMMENT ON COLUMN communication_log.cache_write_5m_tokens IS 'Input tokens written to a cache for 5 minutes';
COMMENT ON COLUMN communication_log.cache_write_1h_tokens IS 'Input tokens written to a cache for an hour';
COMMENT ON COLUMN communication_log.output_tokens IS 'Output tokens, reasoning included';
COMMENT ON COLUMN communication_log.usage_final IS 'false: the counts are lower bounds';
COMMENT ON COLUMN communication_log.sent_at IS 'When it was sent';
COMMENT ON COLUMN communication_log.source IS 'The system that the row comes from';
COMMENT ON COLUMN communication_log.source_key IS 'Key of the row in its source; made from its content where the source has none';
COMMENT ON COLUMN communication_log.source_line IS 'Line of the file on which the row began; row number for Parquet and sheets; 1-based';
COMMENT ON COLUMN communication_log.load_id IS 'The load that brought this version of the row';

CREATE TABLE communication_log_history AS SELECT *, 0::BIGINT AS superseded_by FROM communication_log LIMIT 0;
ALTER TABLE communication_log_history ALTER superseded_by SET NOT NULL;
ALTER TABLE communication_log_history ADD PRIMARY KEY (message_id, superseded_by);
COMMENT ON TABLE communication_log_history IS 'Replaced versions of communication_log';
COMMENT ON COLUMN communication_log_history.superseded_by IS 'The load that replaced this version';

CREATE TABLE error_log (
    error_id          BIGINT NOT NULL,
    session_id        VARCHAR,
    task_id           VARCHAR,
    node_id           VARCHAR,
    project_id        VARCHAR,
    error_type        VARCHAR NOT NULL,
    error_class       VARCHAR,
    error_message     VARCHAR,
    error_stack_trace VARCHAR,
    tool_name         VARCHAR,
    subject           VARCHAR,
    resolved          BOOLEAN,
    resolved_at       TIMESTAMPTZ,
    resolution        VARCHAR,
    occurred_at       TIMESTAMPTZ NOT NULL,
    source            VARCHAR NOT NULL,
    source_key        VARCHAR NOT NULL,
    source_line       BIGINT,
    load_id           BIGINT NOT NULL,
    PRIMARY KEY (error_id)
);
COMMENT ON TABLE error_log IS 'Errors met and how they ended';
COMMENT ON COLUMN error_log.error_id IS 'Number of the row in this book';
COMMENT ON COLUMN error_log.session_id IS 'Session it belongs to';
COMMENT ON COLUMN error_log.task_id IS 'Task it belongs to';
COMMENT ON COLUMN error_log.node_id IS 'Node that worked; NULL or unknown: unattributed';
COMMENT ON COLUMN error_log.project_id IS 'Project worked on; NULL or unknown: unattributed';
COMMENT ON COLUMN error_log.error_type IS 'Kind of error';
COMMENT ON COLUMN error_log.error_class IS 'tool, exit_code, hook_block, user_reject, timeout or api';
COMMENT ON COLUMN error_log.error_message IS 'What was said';
COMMENT ON COLUMN error_log.error_stack_trace IS 'Where it arose';
COMMENT ON COLUMN error_log.tool_name IS 'Tool that failed';
COMMENT ON COLUMN error_log.subject IS 'File or command that failed';
COMMENT ON COLUMN error_log.resolved IS 'Whether it was resolved; NULL: not known';
COMMENT ON COLUMN error_log.resolved_at IS 'When it was resolved';
COMMENT ON COLUMN error_log.resolution IS 'How';
COMMENT ON COLUMN error_log.occurred_at IS 'When it occurred';
COMMENT ON COLUMN error_log.source IS 'The system that the row comes from';
COMMENT ON COLUMN error_log.source_key IS 'Key of the row in its source; made from its content where the source has none';
COMMENT ON COLUMN error_log.source_line IS 'Line of the file on which the row began; row number for Parquet and sheets; 1-based';
COMMENT ON COLUMN error_log.load_id IS 'The load that brought this version of the row';

CREATE TABLE error_log_history AS SELECT *, 0::BIGINT AS superseded_by FROM error_log LIMIT 0;
ALTER TABLE error_log_history ALTER superseded_by SET NOT NULL;
ALTER TABLE error_log_history ADD PRIMARY KEY (error_id, superseded_by);
COMMENT ON TABLE error_log_history IS 'Replaced versions of error_log';
COMMENT ON COLUMN error_log_history.superseded_by IS 'The load that replaced this version';

CREATE TABLE work_metrics_daily (
    day                DATE NOT NULL,
    node_id            VARCHAR NOT NULL DEFAULT '',
    project_id         VARCHAR NOT NULL DEFAULT '',
    sessions           BIGINT NOT NULL DEFAULT 0,
    sessions_completed BIGINT NOT NULL DEFAULT 0,
    sessions_failed    BIGINT NOT NULL DEFAULT 0,
    tasks              BIGINT NOT NULL DEFAULT 0,
    tasks_completed    BIGINT NOT NULL DEFAULT 0,
    tasks_succeeded    BIGINT NOT NULL DEFAULT 0,
    wall_seconds       DECIMAL(18, 6),
    session_seconds    DECIMAL(18, 6),
    agent_seconds      DECIMAL(18, 6),
    files_changed      BIGINT NOT NULL DEFAULT 0,
    lines_added        BIGINT,
    lines_deleted      BIGINT,
    tool_invocations   BIGINT NOT NULL DEFAULT 0,
    tool_successes     BIGINT,
    messages           BIGINT NOT NULL DEFAULT 0,
    input_tokens       BIGINT,
    output_tokens      BIGINT,
    errors             BIGINT NOT NULL DEFAULT 0,
    errors_resolved    BIGINT NOT NULL DEFAULT 0,
    computed_at        TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (day, node_id, project_id)
);
COMMENT ON TABLE work_metrics_daily IS 'Work by day, node and project, in the book''s time zone; made from the rows above';
COMMENT ON COLUMN work_metrics_daily.day IS 'Day in the book''s time zone';
COMMENT ON COLUMN work_metrics_daily.node_id IS 'Node; empty: unattributed';
COMMENT ON COLUMN work_metrics_daily.project_id IS 'Project; empty: unattributed';
COMMENT ON COLUMN work_metrics_daily.sessions IS 'Sessions begun';
COMMENT ON COLUMN work_metrics_daily.sessions_completed IS 'Sessions completed';
COMMENT ON COLUMN work_metrics_daily.sessions_failed IS 'Sessions failed';
COMMENT ON COLUMN work_metrics_daily.tasks IS 'Tasks begun';
COMMENT ON COLUMN work_metrics_daily.tasks_completed IS 'Tasks completed';
COMMENT ON COLUMN work_metrics_daily.tasks_succeeded IS 'Tasks that succeeded';
COMMENT ON COLUMN work_metrics_daily.wall_seconds IS 'Union of the sessions'' time; NULL: not known';
COMMENT ON COLUMN work_metrics_daily.session_seconds IS 'Sum of the sessions'' time';
COMMENT ON COLUMN work_metrics_daily.agent_seconds IS 'Sum over streams of work';
COMMENT ON COLUMN work_metrics_daily.files_changed IS 'Distinct files changed';
COMMENT ON COLUMN work_metrics_daily.lines_added IS 'Lines added';
COMMENT ON COLUMN work_metrics_daily.lines_deleted IS 'Lines deleted';
COMMENT ON COLUMN work_metrics_daily.tool_invocations IS 'Tools invoked';
COMMENT ON COLUMN work_metrics_daily.tool_successes IS 'Those that succeeded';
COMMENT ON COLUMN work_metrics_daily.messages IS 'Messages';
COMMENT ON COLUMN work_metrics_daily.input_tokens IS 'Input tokens of all kinds';
COMMENT ON COLUMN work_metrics_daily.output_tokens IS 'Output tokens';
COMMENT ON COLUMN work_metrics_daily.errors IS 'Errors met';
COMMENT ON COLUMN work_metrics_daily.errors_resolved IS 'Those resolved';
COMMENT ON COLUMN work_metrics_daily.computed_at IS 'When the row was computed';

INSERT INTO book_settings VALUES
    ('timezone', 'UTC', 'Reporting time zone: days and months begin at its midnight'),
    ('price_max_age', '7 days', 'A token price older than this at an event is not used for it');

-- down

DROP TABLE work_metrics_daily;
DROP TABLE error_log_history;
DROP TABLE error_log;
DROP TABLE communication_log_history;
DROP TABLE communication_log;
DROP TABLE tool_usage_history;
DROP TABLE tool_usage;
DROP TABLE file_changes_history;
DROP TABLE file_changes;
DROP TABLE work_tasks_history;
DROP TABLE work_tasks;
DROP TABLE work_sessions_history;
DROP TABLE work_sessions;
DROP TABLE backup_restore_log;
DROP TABLE backup_schedules;
DROP TABLE arweave_backups;
DROP TABLE subscription_revenue_history;
DROP TABLE subscription_revenue;
DROP TABLE marketplace_revenue_history;
DROP TABLE marketplace_revenue;
DROP TABLE node_earnings_history;
DROP TABLE node_earnings;
DROP TABLE akash_deployments_history;
DROP TABLE akash_deployments;
DROP TABLE arweave_uploads_history;
DROP TABLE arweave_uploads;
DROP TABLE deployment_costs_history;
DROP TABLE deployment_costs;
DROP TABLE deployments_history;
DROP TABLE deployments;
DROP TABLE projects_history;
DROP TABLE projects;
DROP TABLE nodes_history;
DROP TABLE nodes;
DROP TABLE token_prices_history;
DROP TABLE token_prices;
DROP TABLE rejects;
DROP TABLE loads;
DROP TABLE book_settings;
