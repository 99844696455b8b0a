"""A folder as a vault: nothing half-written, nothing replaced, every failure a sentence."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.backup.vaults.objects import Object, make_changed, make_object

from pnlbook.backup.errors import BackupError, VaultError
from pnlbook.backup.vaults.files import LocalFileError
from pnlbook.backup.vaults.folder import FolderFailed, FolderMissing, FolderVault, NotAFile
from pnlbook.backup.vaults.vault import DamagedThere, NotAName, ObjectMissing, WrongLength

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Actions = tuple[Callable[[], object], ...]


PUTTER = Path(__file__).with_name("putter.py")
IN_OWN_MOUNTS = ("unshare", "--mount")


def can_mount() -> bool:
    """Return whether a process may mount a disk for itself alone, as root may."""
    command = (*IN_OWN_MOUNTS, "mount", "-t", "tmpfs", "tmpfs", "/mnt")
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


@pytest.fixture
def vault(tmp_path: Path) -> FolderVault:
    return FolderVault("local", tmp_path / "vault")


@pytest.fixture
def thing(tmp_path: Path) -> Object:
    return make_object(tmp_path, os.urandom(3 << 20))


def putter(vault: FolderVault, thing: Object, hindrance: str) -> subprocess.Popen[str]:
    command = [sys.executable, str(PUTTER), str(vault.path), thing.name, str(thing.path), hindrance]
    if hindrance == "disk":
        command = [*IN_OWN_MOUNTS, *command]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def names(vault: FolderVault) -> list[str]:
    return [found.name for found in vault.list()]


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=100))
def test_what_was_put_comes_back(tmp_path: Path, data: bytes) -> None:
    vault = FolderVault("local", tmp_path / "vault")
    thing = make_object(tmp_path, data)
    back = tmp_path / "back"
    vault.put(thing.name, thing.path)
    vault.get(thing.name, back)
    assert back.read_bytes() == data
    assert vault.head(thing.name) == len(data)
    back.unlink()


@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1])
def test_sizes_about_a_piece(vault: FolderVault, tmp_path: Path, size: int) -> None:
    thing = make_object(tmp_path, os.urandom(size))
    sent: list[int] = []
    received: list[int] = []
    vault.put(thing.name, thing.path, sent.append)
    vault.get(thing.name, tmp_path / "back", received.append)
    assert (tmp_path / "back").read_bytes() == thing.data
    assert sum(sent) == sum(received) == size


def test_modes(vault: FolderVault, thing: Object, tmp_path: Path) -> None:
    vault.put(thing.name, thing.path)
    vault.get(thing.name, tmp_path / "back")
    paths = (vault.path, vault.path / thing.name, tmp_path / "back")
    assert [oct(path.stat().st_mode & 0o777) for path in paths] == ["0o700", "0o600", "0o600"]


def test_list_tells_names_sizes_and_times(vault: FolderVault, tmp_path: Path) -> None:
    things = [make_object(tmp_path, bytes([n])) for n in range(3)]
    for thing in things:
        vault.put(thing.name, thing.path)
    for other in ("README", "a" * 63, "A" * 64, "a" * 65, "g" * 64):
        (vault.path / other).write_bytes(b"")
    (vault.path / ("b" * 64)).mkdir()
    (vault.path / ("c" * 64)).symlink_to(things[0].path)
    found = list(vault.list())
    assert [stored.name for stored in found] == sorted(thing.name for thing in things)
    assert {stored.size for stored in found} == {1}
    assert all(abs((datetime.now(UTC) - s.modified_at).total_seconds()) < 60 for s in found)


def test_putting_twice_is_putting_once(vault: FolderVault, thing: Object) -> None:
    vault.put(thing.name, thing.path)
    before = (vault.path / thing.name).stat()
    moved: list[int] = []
    vault.put(thing.name, thing.path, moved.append)
    assert (vault.path / thing.name).stat() == before
    assert moved == []


def test_another_size_is_damage_and_nothing_is_replaced(
    vault: FolderVault, thing: Object, tmp_path: Path
) -> None:
    vault.put(thing.name, thing.path)
    changed = make_changed(tmp_path, thing, b"short")
    with pytest.raises(DamagedThere, match="3145728 bytes instead of 5") as raised:
        vault.put(changed.name, changed.path)
    assert raised.value.exit_code == 6
    assert (vault.path / thing.name).read_bytes() == thing.data


def test_delete(vault: FolderVault, thing: Object) -> None:
    vault.put(thing.name, thing.path)
    vault.delete(thing.name)
    vault.delete(thing.name)
    assert (names(vault), vault.head(thing.name)) == ([], None)


def test_a_missing_object(vault: FolderVault, thing: Object, tmp_path: Path) -> None:
    vault.put(thing.name, thing.path)
    with pytest.raises(ObjectMissing, match=r"vault local: object a{64} is not to be seen"):
        vault.get("a" * 64, tmp_path / "back")
    assert not (tmp_path / "back").exists()


@pytest.mark.parametrize("name", ["", "../secret", "a" * 63, "A" * 64, "a" * 64 + "\n", "/etc/x"])
def test_no_other_names(vault: FolderVault, thing: Object, tmp_path: Path, name: str) -> None:
    actions: Actions = (
        lambda: vault.put(name, thing.path),
        lambda: vault.get(name, tmp_path / "back"),
        lambda: vault.head(name),
        lambda: vault.delete(name),
    )
    for action in actions:
        with pytest.raises(NotAName):
            action()
    assert not vault.path.exists()


def test_no_file_of_this_side_is_replaced(
    vault: FolderVault, thing: Object, tmp_path: Path
) -> None:
    vault.put(thing.name, thing.path)
    (tmp_path / "back").write_text("mine")
    with pytest.raises(LocalFileError, match="File exists"):
        vault.get(thing.name, tmp_path / "back")
    assert (tmp_path / "back").read_text() == "mine"


def test_a_source_that_is_gone(vault: FolderVault, tmp_path: Path) -> None:
    with pytest.raises(LocalFileError, match="No such file"):
        vault.put("a" * 64, tmp_path / "none")


@pytest.mark.parametrize("growth", [-1, 1])
def test_a_source_that_changes(vault: FolderVault, thing: Object, growth: int) -> None:
    def change(count: int) -> None:
        os.truncate(thing.path, len(thing.data) + growth)
        assert count

    with pytest.raises(LocalFileError, match="changed while it was read"):
        vault.put(thing.name, thing.path, change)
    assert list(vault.path.iterdir()) == []


@pytest.mark.parametrize("growth", [-1, 1])
def test_an_object_that_changes_while_it_comes(
    vault: FolderVault, thing: Object, tmp_path: Path, growth: int
) -> None:
    vault.put(thing.name, thing.path)

    def change(count: int) -> None:
        os.truncate(vault.path / thing.name, len(thing.data) + growth)
        assert count

    with pytest.raises(WrongLength, match=f"instead of {len(thing.data)}"):
        vault.get(thing.name, tmp_path / "back", change)
    assert not (tmp_path / "back").exists()


def test_links_are_not_followed(vault: FolderVault, thing: Object, tmp_path: Path) -> None:
    vault.path.mkdir()
    (vault.path / thing.name).symlink_to(thing.path)
    with pytest.raises(NotAFile):
        vault.get(thing.name, tmp_path / "back")
    with pytest.raises(NotAFile):
        vault.put(thing.name, thing.path)
    assert thing.path.read_bytes() == thing.data


def test_killed_at_work(vault: FolderVault, thing: Object) -> None:
    child = putter(vault, thing, "wait")
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == "moving\n"
        child.send_signal(signal.SIGKILL)
    assert (names(vault), vault.head(thing.name)) == ([], None)
    (leftover,) = vault.path.iterdir()
    vault.put(thing.name, thing.path)
    assert (vault.path / thing.name).read_bytes() == thing.data
    assert leftover.exists()
    old = time.time() - 25 * 60 * 60
    os.utime(leftover, (old, old))
    vault.put(thing.name, thing.path)
    assert [path.name for path in vault.path.iterdir()] == [thing.name]


def test_two_at_once(vault: FolderVault, thing: Object) -> None:
    children = [putter(vault, thing, "wait") for _ in range(2)]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "moving\n"
    assert names(vault) == []
    for child in children:
        assert child.stdin is not None
        child.stdin.write("\n")
        child.stdin.flush()
    assert [child.communicate()[0] for child in children] == ["", ""]
    assert [child.returncode for child in children] == [0, 0]
    assert [path.name for path in vault.path.iterdir()] == [thing.name]
    assert (vault.path / thing.name).read_bytes() == thing.data


@pytest.mark.parametrize("hindrance", ["limit", *(["disk"] if can_mount() else [])])
def test_no_room(vault: FolderVault, thing: Object, hindrance: str) -> None:
    vault.path.mkdir()
    sentence = {"limit": "File too large", "disk": "the disk is full. Free space on it"}
    said, _ = putter(vault, thing, hindrance).communicate()
    first, second, *_ = said.splitlines()
    assert first.startswith(f"vault local: {vault.path}: {sentence[hindrance]}")
    assert second == "[]"
    vault.put(thing.name, thing.path)
    assert names(vault) == [thing.name]


@contextmanager
def as_nobody() -> Iterator[None]:
    """Run the block with the rights of a user to whom nothing belongs; root may do anything."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Return a folder that every user may enter."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
        (folder / "vault").chmod(0o755)


def test_read_only(open_folder: Path) -> None:
    vault = FolderVault("local", open_folder / "vault")
    vault.path.mkdir(mode=0o755)
    thing = make_object(open_folder, b"read only")
    vault.put(thing.name, thing.path)
    other = make_object(open_folder, b"another")
    vault.path.chmod(0o555)
    with as_nobody():
        actions: Actions = (
            lambda: vault.put(other.name, other.path),
            lambda: vault.delete(thing.name),
        )
        for action in actions:
            with pytest.raises(FolderFailed, match=r"Permission denied\. Give this user the right"):
                action()
        assert names(vault) == [thing.name]


def test_unreadable(open_folder: Path, tmp_path: Path) -> None:
    vault = FolderVault("local", open_folder / "vault")
    thing = make_object(open_folder, b"unreadable")
    vault.put(thing.name, thing.path)
    vault.path.chmod(0o000)
    with as_nobody():
        actions: Actions = (lambda: list(vault.list()), lambda: vault.head(thing.name))
        for action in actions:
            with pytest.raises(FolderFailed, match="Permission denied"):
                action()
    assert not (tmp_path / "back").exists()


def test_the_folder_is_gone(vault: FolderVault, thing: Object, tmp_path: Path) -> None:
    actions: Actions = (
        lambda: list(vault.list()),
        lambda: vault.head(thing.name),
        lambda: vault.get(thing.name, tmp_path / "back"),
        lambda: vault.delete(thing.name),
    )
    for action in actions:
        with pytest.raises(FolderMissing, match="Mount the disk it is on"):
            action()


def test_only_the_folder_itself_is_made(tmp_path: Path, thing: Object) -> None:
    vault = FolderVault("disk", tmp_path / "unmounted" / "vault")
    with pytest.raises(FolderMissing, match="vault disk: there is no folder"):
        vault.put(thing.name, thing.path)
    assert not (tmp_path / "unmounted").exists()


def test_a_file_in_place_of_the_folder(vault: FolderVault, thing: Object) -> None:
    vault.path.write_text("")
    actions: Actions = (lambda: vault.put(thing.name, thing.path), lambda: list(vault.list()))
    for action in actions:
        with pytest.raises(FolderFailed, match="it is no folder"):
            action()


@pytest.fixture(params=["links", "no links"])
def _file_system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the file system refuse links, as FAT does, or take them."""

    def refuse(source: Path, target: Path) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM), source, None, target)

    if request.param == "no links":
        monkeypatch.setattr(os, "link", refuse)


@pytest.mark.usefixtures("_file_system")
def test_what_comes_between_is_not_replaced(vault: FolderVault, thing: Object) -> None:
    vault.put(thing.name, thing.path)
    assert [path.name for path in vault.path.iterdir()] == [thing.name]
    vault.delete(thing.name)

    def come_between(count: int) -> None:
        (vault.path / thing.name).write_bytes(b"first")
        assert count

    with pytest.raises(DamagedThere, match="5 bytes instead of"):
        vault.put(thing.name, thing.path, come_between)
    assert (vault.path / thing.name).read_bytes() == b"first"
    assert [path.name for path in vault.path.iterdir()] == [thing.name]


def test_errors_are_of_the_backup(vault: FolderVault) -> None:
    with pytest.raises(VaultError) as raised:
        list(vault.list())
    assert (raised.value.vault, raised.value.exit_code) == ("local", 6)
    assert isinstance(raised.value, BackupError)
