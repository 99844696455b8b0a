"""An incremental backup comes back by the documents alone: stock tools, the manifest, DuckDB."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from tests.backup import books
from tests.backup.conftest import KEY

from pnlbook.backup import sheet

if TYPE_CHECKING:
    from pathlib import Path

    from tests.backup.conftest import Bench

pytestmark = pytest.mark.core


def _opened(stored: Path, folder: Path) -> Path:
    """Open an object as docs/recovery.md says, in a folder of its own."""
    folder.mkdir()
    (folder / "object.bin").write_bytes(stored.read_bytes())
    given = f"OBJECT=object.bin\nKEY_ID={KEY.id}\nKEY={KEY.secret.hex()}\n"
    done = subprocess.run(
        ["dash", "-c", given + sheet.COMMANDS],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder / "pack"


def _insert(table: dict[str, Any], file: dict[str, Any], pack: Path) -> str:
    """Write the statement that docs/recovery.md gives for a file of a table."""
    casts = [f'CAST("{name}" AS {table["columns"][name]}) AS "{name}"' for name in table["texts"]]
    columns = f"* REPLACE ({', '.join(casts)})" if casts else "*"
    chunks = [
        f'"{table["key"]}" >= {first} * {table["width"]} '
        f'AND "{table["key"]}" < ({last} + 1) * {table["width"]}'
        for first, last in file["chunks"]
    ]
    where = f" WHERE {' OR '.join(chunks)}" if table["key"] else ""
    source = f"read_parquet('{pack / file['path']}')"
    return f'INSERT INTO "{table["name"]}" BY NAME SELECT {columns} FROM {source}{where}'


def test_stock_tools_and_the_manifest_are_enough(bench: Bench) -> None:
    bench.create("full")
    books.change(bench.book, "UPDATE nodes SET node_name = 'x' WHERE node_id LIKE 'a%'")
    books.change(bench.book, "INSERT INTO book_settings VALUES ('mine', 'Ä', NULL)")
    before = books.rows(bench.book)
    newest = bench.create("incremental").backup
    vault = bench.vaults[0].path
    packs = {newest.backup_id: _opened(vault / newest.object, bench.folder / "newest")}
    manifest = json.loads((packs[newest.backup_id] / "manifest.json").read_bytes())
    for number, (backup_id, name) in enumerate(manifest["needs"].items()):
        packs[backup_id] = _opened(vault / name, bench.folder / f"needed-{number}")
    schema = (packs[manifest["schema"]["backup"]] / "schema.sql").read_text(encoding="utf-8")
    path = bench.folder / "by-hand.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(schema)
        for table in manifest["tables"]:
            for file in table["files"]:
                connection.execute(_insert(table, file, packs[file["backup"]]))
    assert len(packs) == 2
    assert books.rows(path) == before
