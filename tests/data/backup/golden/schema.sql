CREATE TABLE node_earnings (
    row_key BIGINT PRIMARY KEY,
    node_id VARCHAR NOT NULL,
    amount_usd DECIMAL(18, 6) NOT NULL,
    duration INTERVAL
);
