"""The recovery sheet: one page that brings a key back, and a backup with stock tools alone.

The key stands on four numbered lines of four groups; a fifth group checks the line: it is the
beginning of the SHA-256 of the line's number, a space and its sixteen digits.
"""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from typing import TYPE_CHECKING

from pnlbook.backup.keyring import Key, parse_key
from pnlbook.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMANDS = r"""
head -c 4096 "$OBJECT" > header
IV=$(sed -n 's/^iv: \([0-9a-f]\{32\}\)$/\1/p' header)
LENGTH=$(sed -n 's/^length: \([1-9][0-9]\{0,15\}\)$/\1/p' header)
WRAPPED=$(sed -n "s/^slot: $KEY_ID \([0-9a-f]\{144\}\)\$/\1/p" header)

KEYS=$(printf %s "$WRAPPED" | tr a-f A-F | basenc --base16 -d |
  openssl enc -d -id-aes256-wrap -K "$KEY" -iv A6A6A6A6A6A6A6A6 |
  od -An -v -tx1 | tr -d ' \n')
ENCRYPTION_KEY=$(printf %s "$KEYS" | cut -c 1-64)
MAC_KEY=$(printf %s "$KEYS" | cut -c 65-128)

head -c "$((4096 + LENGTH))" "$OBJECT" |
  openssl dgst -sha256 -mac HMAC -macopt "hexkey:$MAC_KEY" -binary > computed.mac
rm -f pack.tar
test "${#KEYS}" -eq 128 &&
  test "$(wc -c < "$OBJECT")" -eq "$((4096 + LENGTH + 32))" &&
  tail -c 32 "$OBJECT" | cmp - computed.mac &&
  tail -c +4097 "$OBJECT" | head -c "$LENGTH" |
  openssl enc -d -aes-256-cbc -K "$ENCRYPTION_KEY" -iv "$IV" > pack.tar

test -s pack.tar && mkdir pack && tar -x -f pack.tar -C pack
""".lstrip()

_PAGE = """\
RECOVERY SHEET OF A BACKUP KEY

Whoever has this sheet can read every backup made with its key. Without the key
nobody can. Keep it on paper, away from the machine and from the backups.

key id:   {id}
created:  {created}

  1  {lines[0]}
  2  {lines[1]}
  3  {lines[2]}
  4  {lines[3]}

The last group of a line checks it; of the first line, {check} is what this prints:
  printf '{checked}' | sha256sum | cut -c 1-4

TO USE IT AGAIN, type these four lines into a file:  pnlbook keys import FILE
or join the sixteen groups of key digits:  export BACKUP_ENCRYPTION_KEY=...

WITHOUT PNLBOOK, on a machine of your own, with openssl 3, coreutils and tar
(basenc is of coreutils 8.31). OBJECT is the backup; nothing is decrypted unless
all of it is intact. 'cmp: differ' or 'EOF' means: take another copy.

OBJECT=object.bin
KEY_ID={id}
KEY={key}
{commands}
Then pack/manifest.json tells which Parquet file holds what, pack/schema.sql
makes the tables. The other objects that the manifest names open the same way.
"""
_LINES = range(1, 5)
_DIGITS = 16  # of the key on one line
_LINE = re.compile(
    r"^[ \t]*([1-4])((?:[ \t]+[0-9a-f]{4}){4})[ \t]+([0-9a-f]{4})[ \t]*\r?$",
    re.MULTILINE | re.IGNORECASE,
)
_ID, _CREATED, _UNKNOWN = "key id:", "created:", "unknown"


class SheetMistyped(UsageError):
    """A line of the sheet is missing, or does not fit what checks it."""

    def __init__(self, beginning: str) -> None:
        super().__init__(
            f"the line '{beginning}' of the recovery sheet is missing or mistyped; "
            "no key was brought in. Compare it with the sheet."
        )


def render(key: Key) -> str:
    """Return the sheet of a key; it holds the key itself."""
    digits = list(_numbered(key.secret.hex()))
    number, first = digits[0]
    return _PAGE.format(
        id=key.id,
        created=key.created_at.isoformat() if key.created_at else _UNKNOWN,
        lines=[f"{_grouped(part)}  {_check(n, part)}" for n, part in digits],
        check=_check(number, first),
        checked=f"{number} {first}",
        key=key.secret.hex(),
        commands=COMMANDS,
    )


def read(text: str) -> Key:
    """Return the key on a sheet, of which the four lines are enough, or of 64 hex digits.

    Raises SheetMistyped, KeyMalformed.
    """
    found = {int(number): (part, check) for number, part, check in _LINE.findall(text)}
    if not found:
        return Key.of(parse_key("".join(text.split()), "what was given"))
    digits = ""
    for number in _LINES:
        part, check = found.get(number, ("", ""))
        part = "".join(part.split()).lower()
        if _check(number, part) != check.lower():
            raise SheetMistyped(str(number))
        digits += part
    key = Key.of(bytes.fromhex(digits), _created(text))
    if _fact(_ID, text) not in {key.id, None}:
        raise SheetMistyped(_ID)
    return key


def _numbered(digits: str) -> Iterator[tuple[int, str]]:
    for number in _LINES:
        yield number, digits[_DIGITS * (number - 1) : _DIGITS * number]


def _grouped(digits: str) -> str:
    return " ".join(digits[start : start + 4] for start in range(0, len(digits), 4))


def _check(number: int, digits: str) -> str:
    return hashlib.sha256(f"{number} {digits}".encode()).hexdigest()[:4]


def _fact(name: str, text: str) -> str | None:
    match = re.search(rf"^{name}[ \t]*(\S+)", text, re.MULTILINE)
    return match[1] if match else None


def _created(text: str) -> datetime | None:
    written = _fact(_CREATED, text)
    if written is None or written == _UNKNOWN:
        return None
    try:
        instant = datetime.fromisoformat(written)
    except ValueError:
        raise SheetMistyped(_CREATED) from None
    if instant.tzinfo is None:
        raise SheetMistyped(_CREATED)
    return instant
