-- Where each backup lies and how it fares there: copies by vault, what the vaults did, and what a backup needs.

-- up

ALTER TABLE arweave_backups ADD COLUMN book_rows BIGINT;
ALTER TABLE arweave_backups ADD COLUMN pack_size_bytes BIGINT;
ALTER TABLE arweave_backups ADD COLUMN duckdb_version VARCHAR;
ALTER TABLE arweave_backups ADD COLUMN key_id VARCHAR;
ALTER TABLE arweave_backups ADD COLUMN manifest_sha256 VARCHAR;
ALTER TABLE arweave_backups ADD COLUMN previous_manifest_sha256 VARCHAR;
ALTER TABLE arweave_backups ADD COLUMN needs VARCHAR[];
ALTER TABLE arweave_backups ADD COLUMN marked_at TIMESTAMPTZ;
ALTER TABLE arweave_backups ADD COLUMN removed_at TIMESTAMPTZ;
COMMENT ON COLUMN arweave_backups.book_rows IS 'Rows of the book that it holds or refers to';
COMMENT ON COLUMN arweave_backups.pack_size_bytes IS 'Bytes of the pack before encryption and padding';
COMMENT ON COLUMN arweave_backups.duckdb_version IS 'Version of DuckDB that wrote its parts';
COMMENT ON COLUMN arweave_backups.key_id IS 'Key of the keyring that opens it; NULL: not known';
COMMENT ON COLUMN arweave_backups.manifest_sha256 IS 'SHA-256 of its manifest, lower-case hex';
COMMENT ON COLUMN arweave_backups.previous_manifest_sha256 IS 'SHA-256 of the manifest before it; NULL: it is the first';
COMMENT ON COLUMN arweave_backups.needs IS 'Backups whose objects its manifest reads, itself included; NULL: not known';
COMMENT ON COLUMN arweave_backups.marked_at IS 'When retention marked it for removal; NULL: it is to be kept';
COMMENT ON COLUMN arweave_backups.removed_at IS 'When its copies were removed, or forgotten where a vault cannot remove; NULL: it is kept';

CREATE TABLE backup_copies (
    backup_id     VARCHAR NOT NULL,
    vault         VARCHAR NOT NULL,
    vault_kind    VARCHAR NOT NULL,
    state         VARCHAR NOT NULL,
    posted_at     TIMESTAMPTZ,
    seen_at       TIMESTAMPTZ,
    verified_at   TIMESTAMPTZ,
    checked_at    TIMESTAMPTZ,
    cost_usd      DECIMAL(24, 12),
    error_message VARCHAR,
    PRIMARY KEY (backup_id, vault),
    CHECK (state IN ('posted', 'seen', 'verified', 'permanent', 'missing', 'damaged', 'removed'))
);
COMMENT ON TABLE backup_copies IS 'One row for each backup in each vault; its cost is part of the cost of the backup';
COMMENT ON COLUMN backup_copies.backup_id IS 'Backup that it is a copy of';
COMMENT ON COLUMN backup_copies.vault IS 'Name of the vault';
COMMENT ON COLUMN backup_copies.vault_kind IS 'Kind of the vault, e.g. folder, s3 or arweave';
COMMENT ON COLUMN backup_copies.state IS 'posted: sent; seen: the vault lists it; verified: its bytes came back equal; permanent: verified, and for good; missing; damaged; removed';
COMMENT ON COLUMN backup_copies.posted_at IS 'When it was sent';
COMMENT ON COLUMN backup_copies.seen_at IS 'When the vault first had it';
COMMENT ON COLUMN backup_copies.verified_at IS 'When its bytes last came back equal';
COMMENT ON COLUMN backup_copies.checked_at IS 'When the vault was last asked for it';
COMMENT ON COLUMN backup_copies.cost_usd IS 'Cost of this copy in USD, within that of the backup; NULL: not known';
COMMENT ON COLUMN backup_copies.error_message IS 'What went wrong at the last check; NULL: nothing did';

CREATE TABLE backup_vault_checks (
    check_id      BIGINT NOT NULL,
    vault         VARCHAR NOT NULL,
    operation     VARCHAR NOT NULL,
    started_at    TIMESTAMPTZ NOT NULL,
    seconds       DECIMAL(12, 6),
    size_bytes    BIGINT,
    success       BOOLEAN NOT NULL,
    error_message VARCHAR,
    PRIMARY KEY (check_id),
    CHECK (operation IN ('put', 'get', 'head', 'list', 'delete')),
    CHECK (seconds >= 0 AND size_bytes >= 0)
);
COMMENT ON TABLE backup_vault_checks IS 'What was asked of the vaults, how long it took and how it ended';
COMMENT ON COLUMN backup_vault_checks.check_id IS 'Number of the operation';
COMMENT ON COLUMN backup_vault_checks.vault IS 'Name of the vault';
COMMENT ON COLUMN backup_vault_checks.operation IS 'put, get, head, list or delete';
COMMENT ON COLUMN backup_vault_checks.started_at IS 'When it began';
COMMENT ON COLUMN backup_vault_checks.seconds IS 'How long it took; NULL: not measured';
COMMENT ON COLUMN backup_vault_checks.size_bytes IS 'Bytes sent or received; NULL: none or not known';
COMMENT ON COLUMN backup_vault_checks.success IS 'Whether the vault did as asked';
COMMENT ON COLUMN backup_vault_checks.error_message IS 'What went wrong';

-- down

DROP TABLE backup_vault_checks;
DROP TABLE backup_copies;
ALTER TABLE arweave_backups DROP COLUMN removed_at;
ALTER TABLE arweave_backups DROP COLUMN marked_at;
ALTER TABLE arweave_backups DROP COLUMN needs;
ALTER TABLE arweave_backups DROP COLUMN previous_manifest_sha256;
ALTER TABLE arweave_backups DROP COLUMN manifest_sha256;
ALTER TABLE arweave_backups DROP COLUMN key_id;
ALTER TABLE arweave_backups DROP COLUMN duckdb_version;
ALTER TABLE arweave_backups DROP COLUMN pack_size_bytes;
ALTER TABLE arweave_backups DROP COLUMN book_rows;
