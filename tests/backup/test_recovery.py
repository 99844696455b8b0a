"""docs/recovery.md: stock tools open the golden object as it says, and refuse a changed one."""

from __future__ import annotations

import hashlib
import hmac
import re
import shutil
import subprocess
from pathlib import Path

import duckdb
import pytest
from tests.data.backup.make_golden import KEY, PACK, PART, ROWS

from pnlbook.backup import container, sheet
from pnlbook.backup.keyring import Key, Keyring

pytestmark = pytest.mark.core

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests/data/backup"
GOLDEN = DATA / "golden.bin"
PAGE = (ROOT / "docs/recovery.md").read_text(encoding="utf-8")
KEY_OF_GOLDEN = Key.of(KEY)
# One byte each of the header's fields, its spaces, the ciphertext and the MAC.
FLIPPED = [0, 60, 90, 110, 130, 4000, 4095, 4096, 4111, 9000, -33, -32, -1]


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def run(shell: str, commands: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [shell, "-c", commands], cwd=folder, capture_output=True, text=True, check=False
    )


def files(folder: Path) -> dict[str, bytes]:
    """Return every file below the folder by its path there."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return an empty folder with the golden object."""
    shutil.copy(GOLDEN, tmp_path)
    return tmp_path


@pytest.mark.parametrize("shell", ["bash", "dash"])
def test_commands_restore_every_byte(shell: str, folder: Path) -> None:
    done = run(shell, "\n".join(blocks("sh")), folder)

    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout.splitlines() == [KEY_OF_GOLDEN.id, "golden.bin: OK"]
    assert files(folder / "pack") == files(DATA / "golden")
    assert {"manifest.json", "schema.sql", PART} == files(folder / "pack").keys()


@pytest.mark.parametrize("shell", ["bash", "dash"])
@pytest.mark.parametrize("place", FLIPPED)
def test_a_flipped_byte_is_refused(shell: str, place: int, folder: Path) -> None:
    data = bytearray(GOLDEN.read_bytes())
    data[place] ^= 1
    (folder / "golden.bin").write_bytes(data)

    done = run(shell, "\n".join(blocks("sh")), folder)

    assert done.returncode != 0
    assert "golden.bin: FAILED" in done.stdout
    assert not (folder / "pack").exists()
    assert not (folder / "pack.tar").exists()


@pytest.mark.parametrize("size", [0, 4095, 4096, 4112, len(GOLDEN.read_bytes()) - 1])
def test_a_truncated_object_is_refused(size: int, folder: Path) -> None:
    (folder / "golden.bin").write_bytes(GOLDEN.read_bytes()[:size])

    assert run("dash", "\n".join(blocks("sh")), folder).returncode != 0
    assert not (folder / "pack.tar").exists()


def test_bytes_after_the_object_are_refused(folder: Path) -> None:
    (folder / "golden.bin").write_bytes(GOLDEN.read_bytes() + b"\0")

    assert run("dash", "\n".join(blocks("sh")), folder).returncode != 0
    assert not (folder / "pack.tar").exists()


def test_a_header_runs_no_command(folder: Path) -> None:
    """Shells evaluate what stands in arithmetic; the length must be digits before it gets there."""
    data = GOLDEN.read_bytes()
    evil = data[:4096].replace(b"length: 10256", b"length: x[$(touch evil)]")[:4095] + b"\n"
    (folder / "golden.bin").write_bytes(evil + data[4096:])

    assert run("bash", "\n".join(blocks("sh")), folder).returncode != 0
    assert not (folder / "evil").exists()


def test_an_object_forged_under_no_key_is_refused(folder: Path) -> None:
    """A slot that does not open must not lead to empty keys, which anyone has."""
    data = GOLDEN.read_bytes()[:-32].replace(b" 90c1", b" 90c2", 1)
    (folder / "golden.bin").write_bytes(data + hmac.digest(b"", data, "sha256"))

    assert run("dash", "\n".join(blocks("sh")), folder).returncode != 0
    assert not (folder / "pack.tar").exists()


def test_sql_brings_the_rows_back(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("dash", "\n".join(blocks("sh")), folder)
    monkeypatch.chdir(folder / "pack")
    with duckdb.connect() as connection:
        connection.execute(Path("schema.sql").read_text(encoding="utf-8"))
        for statement in blocks("sql"):
            connection.execute(statement)
        found = connection.execute("FROM node_earnings ORDER BY row_key").fetchall()
        assert found == connection.execute(ROWS).fetchall()


def test_the_page_knows_the_golden_object() -> None:
    text = "\n".join(blocks("sh"))
    assert hashlib.sha256(GOLDEN.read_bytes()).hexdigest() in text
    assert KEY.hex() in text


def test_the_sheet_has_the_commands_of_the_page() -> None:
    assert "\n".join(blocks("sh")[-4:]) == sheet.COMMANDS


@pytest.mark.parametrize("shell", ["bash", "dash"])
def test_the_sheet_restores_what_pnlbook_wrote(shell: str, tmp_path: Path) -> None:
    key = Key.of(bytes(range(100, 132)))
    pack = tmp_path / "made.tar"
    (tmp_path / "note").write_bytes(PACK)
    subprocess.run(["tar", "-c", "-f", pack, "-C", tmp_path, "note"], check=True)
    container.seal([pack.read_bytes()], pack.stat().st_size, key, tmp_path / "object.bin")
    page = sheet.render(key)
    start = page.index("OBJECT=")

    done = run(shell, page[start : page.index("Then pack/")], tmp_path)

    assert done.returncode == 0, done.stderr
    assert files(tmp_path / "pack") == {"note": PACK}


def test_the_sheet_shows_how_a_line_is_checked(tmp_path: Path) -> None:
    page = sheet.render(KEY_OF_GOLDEN)
    [command] = re.findall(r"^  (printf .*)$", page, re.MULTILINE)
    [check] = re.findall(r"^  1 .* ([0-9a-f]{4})$", page, re.MULTILINE)

    assert run("dash", command, tmp_path).stdout.strip() == check


def test_pnlbook_reads_the_golden_object() -> None:
    pack = b"".join(container.unseal(GOLDEN, Keyring([KEY_OF_GOLDEN])))

    for content in files(DATA / "golden").values():
        assert content in pack
