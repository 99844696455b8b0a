"""What importers share: instants, subjects of commands, messages of failures, lines of changes."""

from __future__ import annotations

import difflib
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pnlbook.worklog import patches
from pnlbook.worklog.failures import normalised
from pnlbook.worklog.instants import micros, milliseconds
from pnlbook.worklog.patches import Lines
from pnlbook.worklog.subjects import subject
from pnlbook.worklog.toolbox import category


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:01.234567Z", 1_234_567),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1970-01-01 00:00:02", 2_000_000),
        ("1969-12-31T23:59:59.5Z", -500_000),
        ("0001-01-01T00:00:00+14:00", -62_135_647_200_000_000),
        ("yesterday", None),
        ("", None),
        (None, None),
    ],
)
def test_instants(text: str | None, expected: int | None) -> None:
    assert micros(text) == expected


@given(st.datetimes())
def test_instants_are_exact(moment: object) -> None:
    text = str(moment).replace(" ", "T")
    found = micros(f"{text}Z")
    assert found is not None
    assert micros(text) == found
    assert micros(f"{text}+02:00") == found - 7_200_000_000


def test_time_between_instants() -> None:
    assert milliseconds(1_000, 3_500) == Decimal("2.5")
    assert milliseconds(3_500, 1_000) is None
    assert milliseconds(None, 1) is None
    assert milliseconds(1, None) is None


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("npm test", "npm test"),
        ("npm --prefix web run build", "npm run"),
        ("git -C /x/y commit -m 'secret plan'", "git commit"),
        ("git", "git"),
        ("cd /x && git status | head", "git status"),
        ("cd /x", "cd"),
        ("export A=b; pytest -q tests/test_x.py", "pytest"),
        ("API_KEY=abc make deploy", "make deploy"),
        ("sudo -u root env A=b timeout 30 /usr/bin/python3 -m pytest x", "python3 pytest"),
        ("python script.py secret", "python"),
        ("./gradlew build", "gradlew build"),
        ("cat <<'EOF'\nnpm test\nEOF", "cat"),
        ("curl https://ada:hunter2@example.org", "curl"),
        ("docker compose -f x.yml up", "docker compose"),
        ("$(which x) y", None),
        ("   ", None),
        ("--help", None),
    ],
)
def test_a_command_is_about_its_program(command: str, expected: str | None) -> None:
    assert subject(command) == expected


@given(st.text())
def test_a_subject_is_two_short_words_of_the_command(command: str) -> None:
    found = subject(command)
    if found is not None:
        words = found.split(" ")
        assert len(words) <= 2
        assert all(word in command and len(word) <= 64 for word in words)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Error: file not found: /home/ada/x.py", "Error: file not found: PATH"),
        (
            "src/app/main.ts(12,5): error TS2304: Cannot find name 'foo'.",
            "PATH(N,N): error TSN: Cannot find name '…'.",
        ),
        ("\x1b[31mfatal\x1b[0m: took 3.5 s", "fatal: took N.N s"),
        ("\n\n  <tool_use_error>No such tool</tool_use_error>", "No such tool"),
        ("The user doesn't want it, it's fine", "The user doesn't want it, it's fine"),
        ("GET https://example.org/a?b=c failed with 404", "GET URL failed with N"),
        ("commit 0f3a2b1c9d is bad at 0x7fff", "commit N is bad at N"),
        ("token: ghp_" + "a1" * 20, "token: [redacted]"),
        ("C:\\Users\\ada\\x.txt is missing", "PATH is missing"),
        ("x" * 500, "x" * 120),
        (" \n ", None),
        ("", None),
    ],
)
def test_messages_that_differ_only_by_case_are_one(text: str, expected: str | None) -> None:
    assert normalised(text) == expected


@given(st.text())
def test_a_message_is_one_short_line_without_digits(text: str) -> None:
    found = normalised(text)
    if found is not None:
        assert 0 < len(found) <= 120
        assert not set(found) & set("0123456789\n\r")


@pytest.mark.parametrize(
    ("text", "lines"), [("", 0), ("a", 1), ("a\n", 1), ("a\nb", 2), ("\n", 1), ("\n\n", 2)]
)
def test_lines_of_a_text(text: str, lines: int) -> None:
    assert patches.count(text) == lines


LINES = st.lists(st.sampled_from(("a", "b", "c")), max_size=8)


@given(LINES, LINES)
def test_lines_between_two_texts_make_one_of_the_other(old: list[str], new: list[str]) -> None:
    found = patches.between("\n".join(old), "\n".join(new))
    before, after = "\n".join(old).splitlines(), "\n".join(new).splitlines()
    assert found.added is not None
    assert found.deleted is not None
    assert len(before) - found.deleted + found.added == len(after)
    assert (found == Lines(0, 0)) is (before == after)
    plain = [one for one in difflib.ndiff(before, after) if one[0] in "+-"]
    assert found.added + found.deleted <= len(plain) + 8


@given(LINES, LINES)
def test_lines_of_a_unified_diff(old: list[str], new: list[str]) -> None:
    diff = list(difflib.unified_diff(old, new, "a", "b", lineterm=""))
    found = patches.of_unified("\n".join(diff)) if diff else Lines(0, 0)
    assert found == Lines(
        sum(one.startswith("+") for one in diff[2:]), sum(one.startswith("-") for one in diff[2:])
    )


def test_many_lines_are_replaced() -> None:
    old, new = "\n".join(f"a{n}" for n in range(3000)), "\n".join(f"b{n}" for n in range(2500))
    assert patches.between(f"x\n{old}\ny", f"x\n{new}\ny") == Lines(2500, 3000)


def test_a_patch_without_an_end_is_read_as_far_as_it_goes() -> None:
    (edit,) = patches.of_envelope("*** Begin Patch\n*** Update File: a\n@@\n+x\n-y")
    assert edit.lines == Lines(1, 1)
    assert patches.of_envelope("nothing of the kind") == []


@pytest.mark.parametrize(
    ("tool", "kind"),
    [
        ("Bash", "command"),
        ("apply_patch", "edit"),
        ("mcp__db__query", "mcp"),
        ("Frobnicate", "other"),
    ],
)
def test_kinds_of_tools(tool: str, kind: str) -> None:
    assert category(tool) == kind
