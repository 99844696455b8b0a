"""A book lost with its machine comes back from S3 by the program's own commands."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from tests.backup import books
from tests.backup.vaults.amazon import KEY, REGION, SECRET, make_bucket, running_amazon

if TYPE_CHECKING:
    from pathlib import Path

    from tests.backup.conftest import Bench

pytestmark = pytest.mark.core

_SETTINGS = """
book = "book.duckdb"

[vaults.offsite]
kind = "s3"
bucket = "pnlbook-test"
region = "{region}"
endpoint = "{endpoint}"
allow_http = true
usd_per_gb_month = "0.023"
months = 12
"""


def _run(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {
        k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "BACKUP_", "PNLBOOK_"))
    }
    given = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}
    given |= {"BACKUP_ENCRYPTION_KEY": "5a" * 32, "XDG_CONFIG_HOME": str(folder)}
    return subprocess.run(
        [sys.executable, "-m", "pnlbook", *arguments],
        cwd=folder,
        env=kept | given | variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_a_book_comes_back_from_s3_with_nothing_but_settings_and_key(bench: Bench) -> None:
    with running_amazon() as endpoint:
        make_bucket(endpoint, "pnlbook-test")
        (bench.folder / "pnlbook.toml").write_text(
            _SETTINGS.format(region=REGION, endpoint=endpoint)
        )
        assert _run(bench.folder, "backup", "create").returncode == 0
        books.change(bench.book, "UPDATE nodes SET node_name = 'later'")
        before = books.rows(bench.book)
        made = _run(bench.folder, "backup", "create")
        assert "offsite verified" in made.stdout, made.stderr
        assert "cost 0.00" in made.stdout
        bench.book.unlink()
        shutil.rmtree(bench.folder / "book.duckdb.catalogue")
        back = _run(bench.folder, "backup", "restore", "--vault", "offsite", "--to", "book.duckdb")
        assert back.returncode == 0, back.stderr
        assert books.rows(bench.book) == before
        said = made.stdout + made.stderr + back.stdout + back.stderr
        assert SECRET not in said
        assert "5a5a" not in said


def test_a_store_that_is_not_there_is_a_remote_failure_that_loses_nothing(bench: Bench) -> None:
    with running_amazon() as endpoint:
        pass  # nobody listens there any more
    settings = _SETTINGS.format(region=REGION, endpoint=endpoint)
    (bench.folder / "pnlbook.toml").write_text(settings)
    done = _run(bench.folder, "backup", "create")
    assert done.returncode == 6, done.stderr
    assert "--repair" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(list((bench.folder / "book.duckdb.catalogue" / "pending").iterdir())) == 1
