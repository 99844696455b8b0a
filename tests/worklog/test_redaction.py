"""Obvious secrets are hidden, and what is none stays."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pnlbook.worklog.redaction import HIDDEN, redact

# Built from parts, so that no scanner takes a test for a leak.
X, A = "x1Y2" * 10, "A1B2" * 10
PEM = "PRIVATE KEY-----"
SECRETS = {
    "anthropic": f"sk-ant-api03-{X}",
    "openai": f"sk-proj-{X}",
    "stripe": f"sk_live_{X}",
    "github": f"ghp_{X}",
    "github fine-grained": f"github_pat_{X}",
    "gitlab": f"glpat-{X}",
    "npm": f"npm_{X}",
    "slack": f"xoxb-{X}",
    "google": f"AIza{X}",
    "hugging face": f"hf_{X}",
    "aws": f"AKIA{A[:16]}",
    "age": f"AGE-SECRET-KEY-1{A}",
    "jwt": f"eyJ{X}.{X}.{X}",
}


@pytest.mark.parametrize("name", SECRETS)
def test_keys_of_known_forms(name: str) -> None:
    secret = SECRETS[name]
    assert redact(f"use {secret}, then go") == f"use {HIDDEN}, then go"
    assert secret not in redact(f"https://example.org/?k={secret}&x=1")


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("Authorization: Bearer abcdef0123456789", f"Authorization: Bearer {HIDDEN}"),
        (
            "curl -H 'authorization: basic YWxhZGRpbjpvcGVu'",
            f"curl -H 'authorization: basic {HIDDEN}'",
        ),
        ("postgres://ada:hunter2@db/x", f"postgres://ada:{HIDDEN}@db/x"),
        ("redis://:hunter2@cache:6379", f"redis://:{HIDDEN}@cache:6379"),
        ("export DB_PASSWORD=hunter2 && go", f"export DB_PASSWORD={HIDDEN} && go"),
        ("AWS_SECRET_ACCESS_KEY = abc/def+1", f"AWS_SECRET_ACCESS_KEY = {HIDDEN}"),
        ('{"api_key": "abc def", "n": 1}', f'{{"api_key": {HIDDEN}, "n": 1}}'),
        ("clientSecret: 'abc'", f"clientSecret: {HIDDEN}"),
        ("GITHUB_TOKEN=abc123", f"GITHUB_TOKEN={HIDDEN}"),
        ("SIGNING_KEY=abc123", f"SIGNING_KEY={HIDDEN}"),
        ("mysql --password hunter2 -u ada", f"mysql --password {HIDDEN} -u ada"),
        (
            f"-----BEGIN RSA {PEM}\nMIIE\nabc\n-----END RSA {PEM} after",
            f"-----BEGIN RSA {PEM}{HIDDEN}-----END RSA {PEM} after",
        ),
        (f"-----BEGIN OPENSSH {PEM}\nb3Blb\ntorn", f"-----BEGIN OPENSSH {PEM}{HIDDEN}"),
    ],
)
def test_secrets_in_their_places(text: str, redacted: str) -> None:
    assert redact(text) == redacted


@pytest.mark.parametrize(
    "text",
    [
        "max_tokens: 4096 and input_tokens = 12",
        "the tokenizer: fast",
        "https://example.org/a/b?c=d and git@github.com:team/repo.git",
        "The password is asked for again.",
        "task-1234 was about keyboard=qwerty, monkey: yes",
        "commit 0f3a2b1c9d8e7f6a5b4c3d2e1f0a9b8c7d6e5f4a",
        "a skeleton sk-small and eyJ alone",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact(text) == text


@given(st.text(), st.sampled_from(sorted(SECRETS)), st.text())
def test_a_secret_is_hidden_wherever_it_stands(before: str, name: str, after: str) -> None:
    assert SECRETS[name] not in redact(f"{before} {SECRETS[name]} {after}")


@pytest.mark.parametrize(
    "hostile",
    [
        "a" * 200_000,
        "a." * 100_000,
        "token" * 40_000,
        "eyJ-" * 50_000,
        "-----BEGIN PRIVATE KEY-----" * 5_000,
    ],
    ids=lambda text: text[:8],
)
def test_no_text_takes_long(hostile: str) -> None:
    start = time.process_time()
    redact(hostile)
    assert time.process_time() - start < 5
