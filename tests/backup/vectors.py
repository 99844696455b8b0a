"""A second writer and reader of containers, made from docs/backup-format.md alone, and vectors."""

from __future__ import annotations

import hashlib
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

LINE = re.compile(r"([a-z]+): ([!-~]+(?: [!-~]+)?)")
VALUES = {
    "format": "1",
    "cipher": "aes-256-cbc",
    "mac": "hmac-sha-256",
    "iv": "[0-9a-f]{32}",
    "length": "[1-9][0-9]{0,15}",
    "slot": "[0-9a-f]{16} [0-9a-f]{144}",
}


class Refused(Exception):
    """The second reader rejects an object."""


@dataclass(frozen=True)
class Vector:
    """An object, the keys at hand, and what is to come of it: `sha256` only with success."""

    expect: str
    keys: tuple[bytes, ...]
    sha256: str | None
    data: bytes

    @classmethod
    def load(cls, path: Path) -> Vector:
        head, _, data = path.read_bytes().partition(b"\n\n")
        facts = [line.split(": ", 1) for line in head.decode().splitlines()]
        keys = tuple(bytes.fromhex(value) for name, value in facts if name == "key")
        one = dict(facts)
        return cls(one["expect"], keys, one.get("sha256"), data)

    def save(self, path: Path) -> None:
        lines = [f"expect: {self.expect}", *(f"key: {key.hex()}" for key in self.keys)]
        lines += [f"sha256: {self.sha256}"] if self.sha256 else []
        path.write_bytes("\n".join(lines).encode() + b"\n\n" + self.data)


def hmac_sha256(key: bytes, data: bytes) -> HMAC:
    mac = HMAC(key, hashes.SHA256())
    mac.update(data)
    return mac


def key_id(key: bytes) -> str:
    return hmac_sha256(key, b"pnlbook backup key id").finalize().hex()[:16]


def padme(length: int) -> int:
    if length < 2:
        return length
    exponent = math.floor(math.log2(length))
    unit = 2 ** (exponent - math.floor(math.log2(exponent)) - 1) if exponent else 1
    return math.ceil(length / unit) * unit


def pkcs7(data: bytes) -> bytes:
    padder = padding.PKCS7(128).padder()
    return padder.update(data) + padder.finalize()


def write(  # noqa: PLR0913 - one argument for each thing that a vector may break
    pack: bytes,
    keys: Iterable[bytes],
    *,
    seed: bytes,
    lines: Callable[[list[str]], list[str]] = list,
    header: Callable[[bytes], bytes] = bytes,
    plain: Callable[[bytes], bytes] = pkcs7,
    cipher: Callable[[bytes], bytes] = bytes,
) -> bytes:
    """Return an object of `pack`; what is random in it is made from `seed`.

    lines, header, plain, cipher: change the lines, the whole header, how the padded pack is padded
    for AES, or the ciphertext; the MAC is right all the same.
    """
    secret = hashlib.sha512(b"keys" + seed).digest()
    iv = hashlib.sha256(b"iv" + seed).digest()[:16]
    encryptor = Cipher(algorithms.AES256(secret[:32]), modes.CBC(iv)).encryptor()
    ciphertext = cipher(encryptor.update(plain(pack.ljust(padme(len(pack)), b"\0"))))
    text = [
        "format: 1",
        "cipher: aes-256-cbc",
        "mac: hmac-sha-256",
        f"iv: {iv.hex()}",
        f"length: {len(ciphertext)}",
        *(f"slot: {key_id(key)} {aes_key_wrap(key, secret).hex()}" for key in keys),
    ]
    joined = "".join(f"{line}\n" for line in lines(text)).encode("latin-1")
    body = header(joined.ljust(4095) + b"\n") + ciphertext
    return body + hmac_sha256(secret[32:], body).finalize()


def read(data: bytes, keys: Iterable[bytes]) -> bytes:
    """Return the pack and its zeros; raise Refused for whatever a reader must reject."""
    header = data[:4096]
    fields = _fields(header)
    slots = dict(slot.split(" ") for slot in fields["slot"])
    _require(len(slots) == len(fields["slot"]), "two slots of one key")
    length = int(fields["length"][0])
    _require(length % 16 == 0, "no multiple of 16")
    _require(len(data) == 4096 + length + 32, "size")
    secret = _unwrap(slots, keys)
    try:
        hmac_sha256(secret[32:], data[:-32]).verify(data[-32:])
        cipher = Cipher(algorithms.AES256(secret[:32]), modes.CBC(bytes.fromhex(fields["iv"][0])))
        unpadder = padding.PKCS7(128).unpadder()
        return unpadder.update(cipher.decryptor().update(data[4096:-32])) + unpadder.finalize()
    except (InvalidSignature, ValueError) as error:
        raise Refused(str(error)) from error


def _fields(header: bytes) -> dict[str, list[str]]:
    """Return the values of the lines by name, in their order."""
    _require(len(header) == 4096 and header.endswith(b"\n") and header.isascii(), "header")
    *lines, blank = header[:-1].decode("ascii").split("\n")
    _require(blank.strip(" ") == "", "text after the lines")
    fields: dict[str, list[str]] = {name: [] for name in VALUES}
    names = []
    for line in lines:
        match = LINE.fullmatch(line)
        _require(match is not None and match[1] in VALUES, "line")
        if match:
            _require(re.fullmatch(VALUES[match[1]], match[2]) is not None, match[1])
            fields[match[1]].append(match[2])
            names.append(match[1])
    _require(names == [*list(VALUES)[:5], *["slot"] * len(fields["slot"])], "order")
    _require(bool(fields["slot"]), "no slot")
    return fields


def _unwrap(slots: dict[str, str], keys: Iterable[bytes]) -> bytes:
    for key in keys:
        try:
            return aes_key_unwrap(key, bytes.fromhex(slots[key_id(key)]))
        except (KeyError, InvalidUnwrap):
            continue
    raise Refused


def _require(truth: bool, reason: str) -> None:
    if not truth:
        raise Refused(reason)
