"""Obvious secrets taken out of text: keys of known forms, tokens, private keys, passwords.

A secret that looks like nothing in particular cannot be told from other text and stays.
"""

from __future__ import annotations

import re
from typing import Final

HIDDEN: Final = "[redacted]"

_NAMED = (
    r"[\w.-]{0,60}(?:secret|token(?!s|iz)|passw(?:or)?d|passphrase|api[_-]?key|credential"
    r"|[_-]key(?![a-z]))[\w.-]{0,60}"
)
_BODY = "(?:(?!-----BEGIN ).)*?"
_VALUE = r"(?:\"[^\"\n]*\"|'[^'\n]*'|[^\s\"',;&]{3,})"
_ADDRESS = r"\b[A-Za-z][A-Za-z0-9+.-]{0,30}://[^\s/:@'\"]{0,256}:"
_KEY = r"[A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"

# Each pattern keeps its groups `before` and `after`, where it has them, and hides the rest. Runs
# are bounded where a text could make the search for them start over and over.
_PATTERNS: Final = tuple(
    re.compile(pattern)
    for pattern in (
        # private keys: PEM, OpenSSH, PGP; without an end, to the end of the text
        rf"(?s)(?P<before>-----BEGIN {_KEY}){_BODY}(?:(?P<after>-----END {_KEY})|\Z)",
        # keys of known forms: Anthropic, OpenAI, Stripe, GitHub, GitLab, npm, PyPI, Slack, Google,
        # Hugging Face, SendGrid, DigitalOcean, AWS, age
        r"\bsk-[A-Za-z0-9_-]{16,}",
        r"\b[rsp]k_(?:live|test)_[A-Za-z0-9]{10,}",
        r"\bgh[opsur]_[A-Za-z0-9]{20,}",
        r"\bgithub_pat_[A-Za-z0-9_]{20,}",
        r"\bglpat-[A-Za-z0-9_-]{16,}",
        r"\bnpm_[A-Za-z0-9]{30,}",
        r"\bpypi-[A-Za-z0-9_-]{30,}",
        r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}",
        r"\bAIza[A-Za-z0-9_-]{30,}",
        r"\bhf_[A-Za-z0-9]{20,}",
        r"\bSG\.[A-Za-z0-9_-]{16,80}\.[A-Za-z0-9_-]{16,}",
        r"\bdo[opr]_v1_[a-f0-9]{40,}",
        r"\b(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16}\b",
        r"\bAGE-SECRET-KEY-1[A-Z0-9]{20,}",
        # JSON web tokens
        r"\beyJ[A-Za-z0-9_-]{8,2000}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*",
        # Authorization headers
        r"(?i)(?P<before>\b(?:bearer|basic)\s{1,9})[A-Za-z0-9._~+/=-]{8,}",
        # passwords in addresses
        rf"(?P<before>{_ADDRESS})[^\s/@'\"]{{1,256}}(?P<after>@)",
        # NAME=value, NAME: value and "name": "value" of telling names
        rf"(?i)(?P<before>(?<![\w.-]){_NAMED}[\"']?\s{{0,9}}[=:]\s{{0,9}}){_VALUE}",
        # options of telling names: --password value
        rf"(?i)(?P<before>(?<![\w-])--?{_NAMED}\s{{1,9}})(?!-)[^\s\"']{{3,}}",
    )
)


def redact(text: str) -> str:
    """Return the text with obvious secrets hidden."""
    for pattern in _PATTERNS:
        text = pattern.sub(_hide, text)
    return text


def _hide(match: re.Match[str]) -> str:
    kept = match.groupdict()
    return f"{kept.get('before') or ''}{HIDDEN}{kept.get('after') or ''}"
