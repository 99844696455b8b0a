"""Fixtures of the backup tests: a book with facts, a key, vaults, and the work on them."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import pytest
from tests.backup.books import SAMPLE

from pnlbook import migrate
from pnlbook.backup.catalogue import Catalogue
from pnlbook.backup.create import Made, Policy, create
from pnlbook.backup.keyring import Key, Keyring
from pnlbook.backup.vaults.folder import FolderVault
from pnlbook.backup.vaults.vault import Price
from pnlbook.backup.work import Work
from pnlbook.load import LoadOptions, load

KEY = Key.of(bytes(range(32)))


@dataclass
class Bench:
    """A book in a folder of its own, with two folder vaults."""

    folder: Path
    book: Path
    vaults: list[FolderVault] = field(default_factory=list)

    def work(self, *names: str, key: Key = KEY) -> Work:
        """Return the work on the book with the vaults named (none named: the first)."""
        chosen = [v for v in self.vaults if v.name in (names or ("near",))]
        return Work(self.book, Catalogue.of(self.book), Keyring([key]), chosen, lock_timeout=20)

    def create(self, kind: str = "incremental", *names: str) -> Made:
        """Make a backup."""
        return create(self.work(*names), kind, Policy())


@pytest.fixture(scope="session")
def sample_book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sample") / "book.duckdb"
    migrate.create(path)
    load(path, [str(SAMPLE)], LoadOptions())
    return path


@pytest.fixture
def bench(tmp_path: Path, sample_book: Path) -> Bench:
    book = Path(shutil.copy(sample_book, tmp_path / "book.duckdb"))
    price = Price(Decimal("0.02"), None, Decimal(1))
    vaults = [FolderVault(name, tmp_path / name, price) for name in ("near", "far")]
    return Bench(tmp_path, book, vaults)
