"""What a book holds, read without anything of the backup's own code."""

from __future__ import annotations

from pathlib import Path

import duckdb

SAMPLE = Path(__file__).parents[2] / "data" / "sample"
# What backups write about themselves comes after the backup was taken.
RECORDS = frozenset(
    {"arweave_backups", "backup_copies", "backup_vault_checks", "backup_restore_log"}
)


def rows(path: Path, *, without: frozenset[str] = RECORDS) -> dict[str, list[str]]:
    """Return every row of every table as sorted texts."""
    with duckdb.connect(str(path), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        tables = connection.execute(
            "SELECT table_name FROM duckdb_tables() WHERE NOT internal ORDER BY ALL"
        ).fetchall()
        return {
            name: sorted(
                text
                for (text,) in connection.execute(f'SELECT t::VARCHAR FROM "{name}" t').fetchall()
            )
            for (name,) in tables
            if name not in without
        }


def change(path: Path, statements: str) -> None:
    """Run statements on a book as another client would."""
    with duckdb.connect(str(path)) as connection:
        connection.execute(statements)


def count(path: Path, query: str) -> int:
    """Return the one number that a query yields."""
    with duckdb.connect(str(path), read_only=True) as connection:
        row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0
