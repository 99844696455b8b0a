"""Commits of real repositories: counted as `git show` counts them one by one, each once."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from bench import repository as generator
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.worklog.plain_rows import Merged, merged
from tests.worklog.repositories import Repository, shown

from pnlbook.config import WorkAssignment
from pnlbook.load import FileRejected
from pnlbook.worklog import git, git_log
from pnlbook.worklog.assignment import Assignments
from pnlbook.worklog.git import IMPORTER
from pnlbook.worklog.importer import Findings, Position, Reading
from pnlbook.worklog.records import Change

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

READING = Reading(Assignments())
CLAUDE = "Claude <noreply@anthropic.com>"


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "shop")


def read(
    path: Path, position: Position | None = None, reading: Reading = READING
) -> tuple[Findings, Position]:
    findings = Findings()
    return findings, IMPORTER.read(path, position or Position(), reading, findings)


def changes(findings: Findings) -> list[Change]:
    return [record for record in findings.records.get(Change, []) if isinstance(record, Change)]


def of(path: Path, name: str) -> Change:
    (change,) = [one for one in changes(read(path)[0]) if one.file_path == name]
    return change


def counted(findings: Findings) -> set[tuple[object, ...]]:
    return {
        (one.commit_id, one.file_path, one.old_path, one.lines_added, one.lines_deleted)
        for one in changes(findings)
    }


def expected(repository: Repository) -> set[tuple[object, ...]]:
    return {
        (commit, text(file.path), file.old and text(file.old), file.added, file.deleted)
        for commit, files in shown(repository).items()
        for file in files
    }


def text(path: bytes) -> str:
    return path.decode(errors="backslashreplace")


def test_every_kind_of_change_is_counted_as_git_show_counts_it(repository: Repository) -> None:
    repository.write("a.py", "one\ntwo\nthree\nfour\nfive\n")
    repository.write("gone.py", "x\n")
    repository.write("picture.png", b"\0\1\2")
    repository.write("no-end", "without an end")
    repository.commit("begin")
    repository.git("mv", "a.py", "b.py")
    repository.write("b.py", "one\ntwo\n3\nfour\nfive\nsix\n")
    (repository.path / "gone.py").unlink()
    repository.write("picture.png", b"\0\1\2\3")
    (repository.path / "no-end").chmod(0o755)
    repository.commit("go on")
    repository.commit("empty")
    findings, _ = read(repository.path)
    assert counted(findings) == expected(repository)
    assert {(one.file_path, one.change_type) for one in changes(findings)[:4]} == {
        ("b.py", "renamed"),
        ("gone.py", "deleted"),
        ("picture.png", "modified"),
        ("no-end", "modified"),
    }
    assert {one.change_type for one in changes(findings)[4:]} == {"created"}
    assert all(one.origin == "commit" and one.session_id is None for one in changes(findings))
    assert of(repository.path, "b.py").old_path == "a.py"
    assert findings.lines == 3


def test_merges_count_only_by_the_commits_they_bring(repository: Repository) -> None:
    repository.write("a", "1\n")
    repository.commit("main")
    repository.git("switch", "--quiet", "-c", "side")
    repository.write("b", "1\n2\n")
    repository.commit("side")
    repository.git("switch", "--quiet", "main")
    repository.write("c", "1\n2\n3\n")
    repository.commit("main again")
    repository.git("merge", "--quiet", "--no-ff", "-m", "merge", "side")
    findings, _ = read(repository.path)
    assert counted(findings) == expected(repository)
    assert sum(one.lines_added or 0 for one in changes(findings)) == 6


def test_paths_may_hold_any_bytes(repository: Repository) -> None:
    names: list[bytes] = [
        b'quote"d',
        b"new\nline",
        b"tab\there",
        b"\x01mark",
        b":colon",
        b"-\t-\tx",
    ]
    names += ["käse 🧀".encode(), b"not-utf8-\xff", b"not-utf8-\xfe", b"not-utf8-\\xff", b" "]
    for name in names:
        repository.write(name, "line\n")
    repository.commit("odd names")
    repository.git("mv", names[1], b"other\nline")
    repository.commit("odd rename")
    findings, _ = read(repository.path)
    assert counted(findings) == expected(repository)
    assert len({one.key for one in changes(findings)}) == len(names) + 1
    for one in changes(findings):
        assert one.file_path is not None
        one.file_path.encode()
        one.key.encode()


def test_authors_are_those_of_the_mailmap_and_dates_those_of_authors(
    repository: Repository,
) -> None:
    repository.write(".mailmap", "Ada Lovelace <ada@work.example> Ada <ada@example.org>\n")
    commit = repository.commit("begin")
    (change,) = changes(read(repository.path)[0])
    assert change.author == "Ada Lovelace <ada@work.example>"
    assert change.node_id == "ada@work.example"
    assert change.commit_id == commit
    assert change.changed_at == repository.clock * 1_000_000
    late = {"GIT_COMMITTER_DATE": "1900000000 +0000"}
    repository.git("commit", "--quiet", "--amend", "--no-edit", **late)
    assert changes(read(repository.path)[0])[0].changed_at == repository.clock * 1_000_000


@pytest.mark.parametrize(
    ("message", "node", "co_authors"),
    [
        ("x", "ada@example.org", None),
        (f"x\n\nCo-Authored-By: {CLAUDE}", "claude-code", [CLAUDE]),
        ("x\n\nCo-authored-by: Claude Opus 4.5 <noreply@anthropic.com>", "claude-code", ...),
        (
            "x\n\nco-authored-by: Ben <ben@b>\nCO-AUTHORED-BY: Codex <noreply@openai.com>",
            "codex",
            ...,
        ),
        ("x\n\nCo-authored-by: aider (gpt-4o) <noreply@aider.chat>", "aider", ...),
        ("x\n\nCo-authored-by: Copilot <1+Copilot@users.noreply.github.com>", "copilot", ...),
        ("x\n\nCo-authored-by: Claude Monet <claude@monet.example>", "ada@example.org", ...),
        ("x\n\nCo-authored-by: Claude <claude@monet.example>", "ada@example.org", ...),
        ("x\n\nCo-authored-by:", "ada@example.org", None),
        (
            "x\n\nCo-authored-by: Ben <ben@b>\nCo-authored-by: Cleo <c@c>",
            "ada@example.org",
            ["Ben <ben@b>", "Cleo <c@c>"],
        ),
    ],
)
def test_a_commit_belongs_to_the_agent_that_made_it_or_else_to_its_author(
    repository: Repository, message: str, node: str, co_authors: object
) -> None:
    repository.write("a", "1\n")
    repository.commit(message)
    (change,) = changes(read(repository.path)[0])
    assert change.node_id == node
    if co_authors is not ...:
        assert change.co_authors == co_authors


def test_agents_are_known_as_authors_too(repository: Repository) -> None:
    repository.write("a", "1\n")
    repository.commit("x", GIT_AUTHOR_NAME="Ada (aider)")
    assert of(repository.path, "a").node_id == "aider"
    repository.write("b", "1\n")
    repository.commit("x", GIT_AUTHOR_NAME="Claude", GIT_AUTHOR_EMAIL="noreply@anthropic.com")
    assert of(repository.path, "b").node_id == "claude-code"


def test_node_and_project_follow_the_rules(repository: Repository) -> None:
    repository.write("a", "1\n")
    repository.commit(f"x\n\nCo-Authored-By: {CLAUDE}")
    assert of(repository.path, "a").project_id == "shop"
    repository.git("remote", "add", "origin", "git@forge.example:team/till.git")
    assert of(repository.path, "a").project_id == "till"
    rules = (
        WorkAssignment(repository="*team/till*", agent="claude-*", node_id="n", project_id="p"),
    )
    (change,) = changes(read(repository.path, reading=Reading(Assignments(rules)))[0])
    assert (change.node_id, change.project_id) == ("n", "p")


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("src/app.py", "source"),
        ("package-lock.json", "lock"),
        ("sub/pnpm-lock.yaml", "lock"),
        ("Cargo.lock", "lock"),
        ("go.sum", "lock"),
        ("vendor/lib/a.go", "vendored"),
        ("web/node_modules/x/yarn.lock", "vendored"),
        ("third_party/a.c", "vendored"),
        ("vendor.py", "source"),
        ("js/app.min.js", "generated"),
        ("api/shop_pb2.py", "generated"),
        ("api/shop_pb2_grpc.pyi", "generated"),
        ("web/dist/app.js", "generated"),
        ("src/generator.py", "source"),
        ("block.py", "source"),
    ],
)
def test_files_are_told_apart_by_their_paths(repository: Repository, path: str, kind: str) -> None:
    repository.write(path, "line\n")
    repository.commit("x")
    assert of(repository.path, path).file_class == kind


def test_binary_files_have_no_lines_and_submodules_are_vendored(
    repository: Repository, tmp_path: Path
) -> None:
    library = Repository(tmp_path / "library")
    library.write("a", "1\n")
    library.commit("x")
    repository.write("vendor/logo.png", b"\0")
    repository.git(
        "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(library.path), "lib"
    )
    repository.commit("x")
    logo = of(repository.path, "vendor/logo.png")
    assert (logo.file_class, logo.lines_added, logo.lines_deleted) == ("binary", None, None)
    assert of(repository.path, "lib").file_class == "vendored"


def test_only_new_commits_are_read_again(repository: Repository) -> None:
    repository.write("a", "1\n")
    repository.commit("one")
    first, position = read(repository.path)
    assert read(repository.path, position) == (Findings(), position)
    repository.write("a", "1\n2\n")
    second_commit = repository.commit("two")
    second, later = read(repository.path, position)
    assert [one.commit_id for one in changes(second)] == [second_commit]
    assert (later.lines_read, second.lines, second.notes) == (2, 1, [])
    assert merged([first, second]) == merged([read(repository.path)[0]])


def test_rewritten_history_is_read_again(repository: Repository) -> None:
    repository.write("a", "1\n")
    repository.commit("one")
    repository.write("b", "1\n")
    repository.commit("two")
    first, position = read(repository.path)
    repository.git("commit", "--quiet", "--amend", "-m", "two, better")
    again, later = read(repository.path, position)
    assert counted(again) == expected(repository)
    assert "rewritten" in again.notes[0]
    assert len(merged([first, again])) == 3
    repository.git("reflog", "expire", "--expire=now", "--all")
    repository.git("gc", "--quiet", "--prune=now")
    gone, _ = read(repository.path, position)
    assert counted(gone) == expected(repository)
    assert read(repository.path, later)[1] == later


def test_what_a_shallow_clone_lacks_is_no_change(repository: Repository, tmp_path: Path) -> None:
    for number in range(5):
        repository.write(f"f{number}", "1\n2\n")
        repository.commit(f"commit {number}")
    clone = tmp_path / "clone"
    url = f"file://{repository.path}"
    repository.git("clone", "--quiet", "--depth=2", url, str(clone))
    findings, position = read(clone)
    assert [one.file_path for one in changes(findings)] == ["f4"]
    assert "shallow" in findings.notes[0]
    deepened = Repository(clone)
    deepened.git("fetch", "--quiet", "--unshallow")
    whole, _ = read(clone, position)
    assert counted(whole) == expected(repository)
    assert merged([findings, whole]) == merged([whole])


def test_a_partial_clone_fetches_nothing(repository: Repository, tmp_path: Path) -> None:
    repository.write("a", "1\n")
    repository.commit("one")
    repository.write("a", "1\n2\n")
    repository.commit("two")
    repository.git("config", "uploadpack.allowFilter", "true")
    clone = tmp_path / "clone"
    url = f"file://{repository.path}"
    repository.git("clone", "--quiet", "--bare", "--filter=blob:none", url, str(clone))
    with pytest.raises(FileRejected, match="partial clone"):
        read(clone)


def test_bare_repositories_and_worktrees_are_the_same_history(
    repository: Repository, tmp_path: Path
) -> None:
    repository.write("a", "1\n")
    repository.write(".mailmap", "Ada Lovelace <ada@work.example> <ada@example.org>\n")
    repository.commit("one")
    bare, tree = tmp_path / "shop.git", tmp_path / "tree"
    repository.git("clone", "--quiet", "--bare", str(repository.path), str(bare))
    repository.git("worktree", "add", "--quiet", "--detach", str(tree))
    reading = Reading(Assignments((WorkAssignment(project_id="p"),)))
    one = merged([read(repository.path, reading=reading)[0]])
    assert merged([read(bare, reading=reading)[0]]) == one
    assert merged([read(tree, reading=reading)[0]]) == one
    assert IMPORTER.find(repository.path / ".git") == [repository.path]


def test_repositories_are_found_below_a_folder(tmp_path: Path) -> None:
    for name in ("a", "group/b", "group/deep/c", ".hidden/d", "x/node_modules/e", "a/inner"):
        Repository(tmp_path / name)
    subprocess.run(["git", "init", "-q", "--bare", tmp_path / "f.git"], check=True)
    names = ("a", "f.git", "group/b", "group/deep/c")
    assert list(IMPORTER.find(tmp_path)) == [tmp_path / name for name in names]
    assert list(IMPORTER.find(tmp_path / "group" / "b")) == [tmp_path / "group" / "b"]


def test_the_default_place_is_the_repository_around_the_current_folder(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = repository.path / "src"
    folder.mkdir()
    monkeypatch.chdir(folder)
    assert list(IMPORTER.places()) == [repository.path]
    monkeypatch.chdir(tmp_path)
    assert list(IMPORTER.places()) == [tmp_path]


def test_since_leaves_out_what_was_authored_before(repository: Repository) -> None:
    repository.write("a", "1\n")
    repository.commit("one")
    repository.write("b", "1\n")
    repository.commit("two")
    reading = Reading(Assignments(), since=repository.clock * 1_000_000)
    assert [one.file_path for one in changes(read(repository.path, reading=reading)[0])] == ["b"]


def test_nothing_of_a_repository_is_run(repository: Repository, tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\nexit 1\n")
    trap.chmod(0o755)
    repository.write(".gitattributes", "*.x diff=evil\n")
    repository.write("a.x", "1\n")
    repository.commit("one")
    repository.write("a.x", "1\n2\n")
    repository.commit("two")
    want = expected(repository)
    for name in ("core.fsmonitor", "core.pager", "core.sshCommand", "diff.external", "gpg.program"):
        repository.git("config", name, str(trap))
    for name in ("pager.log", "diff.evil.command", "diff.evil.textconv", "core.editor"):
        repository.git("config", name, str(trap))
    for name in ("log.showSignature", "diff.relative", "diff.noprefix"):
        repository.git("config", name, "true")
    repository.git("config", "log.showRoot", "false")
    repository.git("config", "color.ui", "always")
    repository.git("config", "diff.renames", "false")
    for hook in ("post-checkout", "post-index-change", "reference-transaction"):
        shutil.copy(trap, repository.path / ".git" / "hooks" / hook)
    before = sorted((repository.path / ".git").rglob("*"))
    findings, _ = read(repository.path)
    assert counted(findings) == want
    assert not (tmp_path / "sprung").exists()
    assert sorted((repository.path / ".git").rglob("*")) == before


def test_the_environment_of_a_hook_names_no_other_repository(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.write("a", "1\n")
    repository.commit("one")
    other = Repository(tmp_path / "other")
    monkeypatch.setenv("GIT_DIR", str(other.path / ".git"))
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", "false")
    assert [one.file_path for one in changes(read(repository.path)[0])] == ["a"]


def test_a_repository_without_commits_says_so(repository: Repository) -> None:
    findings, position = read(repository.path)
    assert (findings.notes, position) == (["it has no commits yet."], Position())


def test_a_corrupt_object_refuses_the_repository(repository: Repository) -> None:
    repository.write("a", "1\n")
    repository.commit("one")
    blob = repository.git("rev-parse", "HEAD:a").decode().strip()
    path = repository.path / ".git" / "objects" / blob[:2] / blob[2:]
    path.chmod(0o644)
    path.write_bytes(b"rubbish")
    with pytest.raises(FileRejected, match="git cannot read it") as caught:
        read(repository.path)
    assert str(repository.path) in str(caught.value)


def test_a_broken_repository_is_not_taken_for_the_one_around_it(repository: Repository) -> None:
    repository.write("a", "1\n")
    repository.commit("one")
    inner = repository.path / "inner"
    (inner / ".git").mkdir(parents=True)
    with pytest.raises(FileRejected, match="git cannot read it"):
        read(inner)


def test_without_git_a_sentence_says_so(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FileRejected, match="git is not installed"):
        read(repository.path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_repository_of_another_user_is_not_trusted(repository: Repository) -> None:
    repository.write("a", "1\n")
    repository.commit("one")
    os.chown(repository.path, 12345, 12345)
    os.chown(repository.path / ".git", 12345, 12345)
    with pytest.raises(FileRejected, match=r"safe\.directory"):
        read(repository.path)


def test_a_commit_without_a_date_is_set_aside(repository: Repository) -> None:
    repository.write("a", "1\n")
    repository.commit("one")
    tree = repository.git("rev-parse", "HEAD^{tree}").decode().strip()
    body = f"tree {tree}\nauthor A <a@b> 99999999999999999 +0000\ncommitter A <a@b> 1 +0000\n\nx\n"
    (repository.path.parent / "body").write_text(body)
    source = str(repository.path.parent / "body")
    made = repository.git("hash-object", "-t", "commit", "-w", "--literally", source)
    repository.git("update-ref", "HEAD", made.decode().strip())
    findings, _ = read(repository.path)
    assert changes(findings) == []
    assert [one.reason for one in findings.broken] == ["It has no date that can be read."]


def test_output_that_ends_early_gives_whole_commits_only() -> None:
    commit = b"\x01" + b"a" * 40 + b"\x001\0Ada <a>\0\0"
    raw = b"\n:000000 100644 0 1 A\0f\0"
    for size in range(1, 70):
        stream = io.BytesIO((commit + raw + b"1\t0\tf\0" + commit)[:-size])
        found = list(git_log.read_commits(stream, lambda _size: None))
        assert [len(one.files) for one in found] in ([1], [0], [])


def test_chunks_may_end_anywhere(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    generator.make(repository.path / "made", 60)
    whole = counted(read(repository.path / "made")[0])
    for size in (1, 7, 64):
        monkeypatch.setattr(git_log, "_CHUNK", size)
        assert counted(read(repository.path / "made")[0]) == whole


def test_a_long_history_is_read_by_two_processes_as_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = generator.make(tmp_path / "made", 61)
    whole, position = read(path)
    monkeypatch.setattr(git, "_LONG", 5)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    parted, later = read(path)
    assert [one.key for one in changes(parted)] == [one.key for one in changes(whole)]
    assert (merged([parted]), later) == (merged([whole]), position)


def test_a_corrupt_object_in_the_older_half_refuses_the_repository(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(git, "_LONG", 2)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    for number in range(6):
        repository.write("a", f"{number}\n")
        repository.commit(f"commit {number}")
    blob = repository.git("rev-parse", "HEAD~5:a").decode().strip()
    (repository.path / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(FileRejected, match="git cannot read it"):
        read(repository.path)


def test_a_made_history_is_counted_as_git_show_counts_it(tmp_path: Path) -> None:
    path = generator.make(tmp_path / "made", 300)
    findings, _ = read(path)
    assert counted(findings) == expected(
        Repository(tmp_path / "view", settings={"GIT_DIR": str(path)})
    )
    assert {"renamed", "deleted", "created", "modified"} == {
        str(one.change_type) for one in changes(findings)
    }


@settings(max_examples=15, deadline=None)
@given(stops=st.lists(st.integers(1, 39), max_size=6, unique=True))
def test_where_readings_stop_does_not_matter(
    stops: Sequence[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = _history(tmp_path_factory)
    commits = _git(path, "rev-list", "--reverse", "main").split()
    readings: list[Findings] = []
    position = Position()
    for stop in [*sorted(stops), 40]:
        _git(path, "update-ref", "--no-deref", "HEAD", commits[stop - 1])
        findings, position = read(path, position)
        readings.append(findings)
    assert merged(readings) == _whole(path)
    assert sum(len(changes(one)) for one in readings) == len(_whole(path))


_made: dict[str, Path] = {}


def _history(factory: pytest.TempPathFactory) -> Path:
    if "path" not in _made:
        path = _made["path"] = generator.make(factory.mktemp("history") / "made", 40)
        _git(path, "update-ref", "--no-deref", "HEAD", "main")
    return _made["path"]


def _whole(path: Path) -> Merged:
    return merged([read(path)[0]])


def _git(path: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", path, *arguments], check=True, capture_output=True)
    return done.stdout.decode()
