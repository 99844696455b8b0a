"""The keyring: where keys come from, who may read them, and `pnlbook keys`."""

from __future__ import annotations

import io
import json
import re
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st

from pnlbook.backup import keyring, sheet
from pnlbook.backup.keyring import (
    KEY_VARIABLE,
    PASSPHRASE_VARIABLE,
    Key,
    KeyMalformed,
    Keyring,
    KeyringExposed,
    KeyringUnreadable,
    NoKeys,
    PassphraseMissing,
    PassphraseWrong,
    add_key,
    load_keyring,
    new_key,
)
from pnlbook.backup.sheet import SheetMistyped
from pnlbook.cli.keys import group
from pnlbook.errors import PnlbookError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Keys = Callable[..., str]


SECRET = bytes(range(32))
KEY = Key.of(SECRET, datetime(2026, 1, 2, tzinfo=UTC))
OPEN: dict[str, str] = {}
LOCKED = {PASSPHRASE_VARIABLE: "correct horse"}
MAKE_KEYS = """
import sys
from pathlib import Path
from pnlbook.backup.keyring import new_key
for _ in range(5):
    print(new_key(Path(sys.argv[1]), {}).id)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config" / "keyring.json"


@pytest.fixture
def keys(path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Keys:
    """Run `pnlbook keys` with the keyring at `path`; return stdout and stderr, joined."""
    monkeypatch.chdir(path.parents[1])
    monkeypatch.setenv("PNLBOOK_KEYRING", str(path))
    for name in (KEY_VARIABLE, PASSPHRASE_VARIABLE, "PNLBOOK_BOOK"):
        monkeypatch.delenv(name, raising=False)
    app = typer.Typer()
    app.add_typer(group, name="keys")

    def call(*arguments: object, stdin: str = "") -> str:
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        capsys.readouterr()
        app(["keys", *map(str, arguments)], standalone_mode=False)
        return "".join(capsys.readouterr())

    return call


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def changed(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the JSON of the keyring file in place."""
    content = json.loads(path.read_bytes())
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")


def test_an_id_follows_from_the_key_and_shows_nothing_of_it() -> None:
    assert KEY.id == "c61f39376e177c40"  # as openssl computes it in docs/recovery.md
    assert SECRET.hex() not in repr(KEY)
    assert repr(SECRET) not in repr(KEY)


def test_the_newest_key_is_active_and_all_are_found() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    made = [Key.of(bytes([n]) * 32, start + timedelta(days=n)) for n in (2, 3, 1)]
    undated = Key.of(bytes(32))
    ring = Keyring([undated, *made])

    assert ring.active == made[1]
    assert [ring.find(key.id) for key in (*made, undated)] == [*made, undated]
    assert ring.find("0" * 16) is None
    assert ring.keys == (made[1], made[0], made[2], undated)


def test_an_empty_ring_has_no_active_key() -> None:
    assert Keyring([]).find(KEY.id) is None
    with pytest.raises(NoKeys, match="pnlbook keys new"):
        _ = Keyring([]).active


def test_a_new_key_comes_back(path: Path) -> None:
    first, second = new_key(path, OPEN), new_key(path, OPEN)

    ring = load_keyring(path, OPEN)

    assert set(ring.keys) == {first, second}
    assert ring.active.created_at == second.created_at
    assert first.secret != second.secret
    assert len(first.secret) == 32


def test_file_and_folder_are_private(path: Path) -> None:
    new_key(path, OPEN)

    assert mode(path) == 0o600
    assert mode(path.parent) == 0o700
    assert list(path.parent.iterdir()) == [path]


def test_a_folder_that_is_there_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    new_key(tmp_path / "keyring.json", OPEN)

    assert mode(tmp_path) == 0o755


@pytest.mark.parametrize("bits", [0o640, 0o604, 0o620, 0o601, 0o644, 0o666])
def test_a_file_that_others_may_use_is_refused(bits: int, path: Path) -> None:
    new_key(path, OPEN)
    path.chmod(bits)

    with pytest.raises(KeyringExposed, match=f"chmod 600 {re.escape(str(path))}") as raised:
        load_keyring(path, OPEN)
    assert f"mode {bits:03o}" in str(raised.value)
    with pytest.raises(KeyringExposed):
        new_key(path, OPEN)


def test_no_keys_says_how_to_make_one(path: Path) -> None:
    with pytest.raises(NoKeys, match="pnlbook keys new") as raised:
        load_keyring(path, OPEN)
    assert isinstance(raised.value, UsageError)
    with pytest.raises(NoKeys):
        load_keyring(path, {KEY_VARIABLE: ""})


def test_the_environment_alone(path: Path) -> None:
    ring = load_keyring(path, {KEY_VARIABLE: f"{SECRET.hex().upper()}\n"})

    assert ring.active.secret == SECRET
    assert not path.exists()


def test_the_key_of_the_environment_is_active_and_those_of_the_file_open(path: Path) -> None:
    kept = new_key(path, OPEN)

    ring = load_keyring(path, {KEY_VARIABLE: SECRET.hex()})

    assert ring.active.id == KEY.id
    assert ring.find(kept.id) == kept


def test_a_key_in_both_places_is_one(path: Path) -> None:
    add_key(path, KEY, OPEN)
    new_key(path, OPEN)

    ring = load_keyring(path, {KEY_VARIABLE: SECRET.hex()})

    assert ring.active == KEY
    assert len(ring.keys) == 2


@pytest.mark.parametrize("value", ["ab", "g" * 64, "ab" * 33, f"0x{'ab' * 31}", "é" * 64])
def test_a_malformed_key_is_not_repeated(value: str, path: Path) -> None:
    with pytest.raises(KeyMalformed, match=KEY_VARIABLE) as raised:
        load_keyring(path, {KEY_VARIABLE: value})
    assert value not in str(raised.value)


def test_a_passphrase_covers_the_whole_file(path: Path) -> None:
    before = new_key(path, OPEN)
    assert before.secret.hex() in path.read_text(encoding="utf-8")

    after = new_key(path, LOCKED)

    text = path.read_text(encoding="utf-8")
    for word in (before.secret.hex(), after.secret.hex(), LOCKED[PASSPHRASE_VARIABLE]):
        assert word not in text
    assert set(load_keyring(path, LOCKED).keys) == {before, after}
    assert mode(path) == 0o600


@pytest.mark.parametrize(
    ("environment", "error"),
    [
        (OPEN, PassphraseMissing),
        ({PASSPHRASE_VARIABLE: ""}, PassphraseMissing),
        ({PASSPHRASE_VARIABLE: "wrong horse"}, PassphraseWrong),
    ],
)
def test_without_the_passphrase(
    environment: dict[str, str], error: type[UsageError], path: Path
) -> None:
    new_key(path, LOCKED)
    before = path.read_bytes()

    for call in (load_keyring, new_key):
        with pytest.raises(error, match=PASSPHRASE_VARIABLE) as raised:
            call(path, environment)
        assert "horse" not in str(raised.value)
    assert path.read_bytes() == before


def test_a_key_under_the_passphrase_cannot_pass_for_another(path: Path) -> None:
    new_key(path, LOCKED)
    new_key(path, LOCKED)

    def swap(content: dict[str, Any]) -> None:
        one, other = content["keys"]
        one["secret"], other["secret"] = other["secret"], one["secret"]

    changed(path, swap)
    with pytest.raises(PassphraseWrong):
        load_keyring(path, LOCKED)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no json",
        "[]",
        '{"format": 2, "keys": []}',
        '{"format": 1, "keys": [], "more": 1}',
        '{"format": 1, "keys": [{"id": "0123456789abcdef", "secret": "5ec2e7"}]}',
        f'{{"format": 1, "keys": [{{"id": "0123456789abcdef", "secret": "{"5ec2e7ab" * 8}"}}]}}',
    ],
)
def test_a_file_that_is_no_keyring(text: str, path: Path) -> None:
    path.parent.mkdir()
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")

    for call in (load_keyring, new_key):
        with pytest.raises(KeyringUnreadable, match=re.escape(str(path))) as raised:
            call(path, OPEN)
        assert "5ec2e7" not in str(raised.value)
        assert raised.value.__cause__ is None
    assert path.read_text(encoding="utf-8") == text


def test_a_costly_key_derivation_is_refused(path: Path) -> None:
    new_key(path, LOCKED)
    changed(path, lambda content: content["protection"].update(n=2**40))

    with pytest.raises(KeyringUnreadable, match=r"protection\.n"):
        load_keyring(path, LOCKED)


def test_processes_at_once_lose_no_key(path: Path) -> None:
    running = [
        subprocess.Popen([sys.executable, "-c", MAKE_KEYS, path], stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    made = {key_id for process in running for key_id in process.communicate()[0].split()}

    assert [process.returncode for process in running] == [0] * 4
    assert len(made) == 20
    assert {key.id for key in load_keyring(path, OPEN).keys} == made
    assert list(path.parent.iterdir()) == [path]


def test_a_write_that_fails_keeps_the_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = new_key(path, OPEN)

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        new_key(path, OPEN)

    assert load_keyring(path, OPEN).keys == (kept,)
    assert list(path.parent.iterdir()) == [path]


def test_a_link_to_the_keyring_stays_a_link(path: Path, tmp_path: Path) -> None:
    new_key(path, OPEN)
    link = tmp_path / "link.json"
    link.symlink_to(path)

    new_key(link, OPEN)

    assert link.is_symlink()
    assert len(load_keyring(path, OPEN).keys) == 2


@settings(deadline=None)
@given(st.binary(min_size=32, max_size=32), st.datetimes(timezones=st.just(UTC)) | st.none())
def test_a_sheet_brings_its_key_back(secret: bytes, created_at: datetime | None) -> None:
    key = Key.of(secret, created_at)

    assert sheet.read(sheet.render(key)) == key


def test_four_lines_are_enough_in_any_order_and_case() -> None:
    lines = re.findall(r"^  [1-4]  .*$", sheet.render(KEY), re.MULTILINE)

    assert len(lines) == 4
    assert sheet.read("\n".join(reversed(lines)).upper()).secret == SECRET


@pytest.mark.parametrize("text", [SECRET.hex(), f" {SECRET.hex().upper()}\n", "00 11 22 33\n" * 8])
def test_hex_digits_are_enough(text: str) -> None:
    assert sheet.read(text).secret == bytes.fromhex(text)


@settings(deadline=None)
@given(st.integers(0, 79), st.sampled_from("0123456789abcdef"))
def test_a_slip_of_one_digit_is_found_in_its_line(place: int, digit: str) -> None:
    lines = re.findall(r"^  [1-4]  .*$", sheet.render(KEY), re.MULTILINE)
    number, place = divmod(place, 20)
    spots = [match.start() for match in re.finditer(r"[0-9a-f]", lines[number])][1:]
    line = lines[number]
    slipped = line[: spots[place]] + digit + line[spots[place] + 1 :]
    lines[number] = slipped
    if slipped == line:
        assert sheet.read("\n".join(lines)).secret == SECRET
    else:
        with pytest.raises(SheetMistyped, match=f"'{number + 1}'"):
            sheet.read("\n".join(lines))


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("  2  0809", "  2  809", "'2'"),
        ("  2  0809", "  3  0809", "'2'"),
        ("c61f39376e177c40\ncreated", "c61f39376e177c41\ncreated", "'key id:'"),
        ("created:  2026-01-02T00", "created:  2026-31-02T00", "'created:'"),
        ("created:  2026-01-02T00:00:00+00:00", "created:  2026-01-02T00:00:00", "'created:'"),
    ],
)
def test_a_sheet_that_contradicts_itself(old: str, new: str, named: str) -> None:
    page = sheet.render(KEY)
    assert old in page

    with pytest.raises(SheetMistyped, match=named) as raised:
        sheet.read(page.replace(old, new))
    assert "0809" not in str(raised.value)


@pytest.mark.parametrize("text", ["", "no sheet at all", SECRET.hex()[:-1]])
def test_what_is_no_sheet(text: str) -> None:
    with pytest.raises(KeyMalformed) as raised:
        sheet.read(text)
    assert not text or text not in str(raised.value)


def test_new_insists_on_a_copy(keys: Keys, path: Path) -> None:
    said = keys("new")

    [key] = load_keyring(path, OPEN).keys
    assert f"Made key {key.id} in {path}.\n" in said
    assert f"pnlbook keys export {key.id}" in said
    assert key.secret.hex() not in said
    assert json.loads(keys("new", "--json", "-q"))["keyring"] == str(path)


def test_new_says_that_the_environment_goes_first(
    keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, SECRET.hex())

    assert f"{KEY_VARIABLE} is set" in keys("new")


def test_list(keys: Keys, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add_key(path, KEY, OPEN)
    given_key = Key.of(bytes(32))
    monkeypatch.setenv(KEY_VARIABLE, given_key.secret.hex())

    said = keys("list")
    facts = json.loads(keys("list", "--json"))

    assert [line.split() for line in said.splitlines()[2:]] == [
        [KEY.id, "2026-01-02T00:00:00+00:00", "file"],
        [given_key.id, "unknown", "active", "environment"],
    ]
    assert facts == [
        {
            "id": KEY.id,
            "created_at": "2026-01-02T00:00:00+00:00",
            "active": False,
            "sources": ["file"],
        },
        {"id": given_key.id, "created_at": None, "active": True, "sources": ["environment"]},
    ]
    for secret in (KEY.secret.hex(), given_key.secret.hex()):
        assert secret not in said
        assert secret not in str(facts)


def test_list_of_a_key_in_both_places(
    keys: Keys, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_key(path, KEY, OPEN)
    monkeypatch.setenv(KEY_VARIABLE, SECRET.hex())

    [fact] = json.loads(keys("list", "--json"))

    assert (fact["active"], fact["sources"]) == (True, ["file", "environment"])


def test_export_prints_the_sheet(keys: Keys, path: Path) -> None:
    add_key(path, KEY, OPEN)
    new_key(path, OPEN)

    assert keys("export", KEY.id) == sheet.render(KEY)
    assert json.loads(keys("export", KEY.id, "--json"))["sheet"] == sheet.render(KEY)
    assert KEY.id not in keys("export")


def test_export_to_a_file(keys: Keys, path: Path, tmp_path: Path) -> None:
    add_key(path, KEY, OPEN)
    target = tmp_path / "sheet.txt"

    said = keys("export", "--output", target)

    assert said == f"Wrote the recovery sheet of key {KEY.id} to {target}.\n"
    assert target.read_text(encoding="utf-8") == sheet.render(KEY)
    assert mode(target) == 0o600
    target.write_text("dear", encoding="utf-8")
    with pytest.raises(UsageError, match="exists already"):
        keys("export", "--output", target)
    assert target.read_text(encoding="utf-8") == "dear"


def test_export_of_an_unknown_key(keys: Keys, path: Path) -> None:
    add_key(path, KEY, OPEN)

    with pytest.raises(PnlbookError, match="there is no key 'abc' at hand") as raised:
        keys("export", "abc")
    assert raised.value.exit_code == 2


def test_import_from_a_file_and_from_stdin(keys: Keys, path: Path, tmp_path: Path) -> None:
    written = tmp_path / "sheet.txt"
    written.write_text(sheet.render(KEY), encoding="utf-8")
    other = Key.of(bytes(32))

    assert f"Key {KEY.id} is now in {path}.\n" in keys("import", written)
    assert f"Key {KEY.id} was in {path} already.\n" in keys("import", written)
    assert f"Key {other.id} is now in {path}.\n" in keys("import", stdin=other.secret.hex())

    ring = load_keyring(path, OPEN)
    assert set(ring.keys) == {KEY, other}
    assert ring.active == KEY  # a key of unknown age does not take over


def test_import_of_a_mistyped_sheet_brings_in_nothing(keys: Keys, path: Path) -> None:
    with pytest.raises(SheetMistyped):
        keys("import", stdin=sheet.render(KEY).replace("0809", "0808"))
    assert not path.exists()


def test_environment_is_the_default(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_VARIABLE, SECRET.hex())

    assert load_keyring(path).active.secret == SECRET
    assert keyring.environment_key() == Key.of(SECRET)
