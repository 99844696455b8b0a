"""What a subagent's log repeats of its session is the session's in the book, in whatever order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.worklog.claude import assistant, call, log, text, user

from pnlbook.book import open_book, run
from pnlbook.migrate import create
from pnlbook.worklog.loading import load_work
from pnlbook.worklog.result import WorkOptions

if TYPE_CHECKING:
    from pathlib import Path

MAIN = assistant("a", 1, "msg_1", call("toolu_1", "Bash", command="ls"))
COPY = {"isSidechain": True, "agentId": "acompact-1", "requestId": "req_other"}


@pytest.mark.core
@pytest.mark.parametrize("order", [("main",), ("main", "agent"), ("agent", "main"), ("",)])
def test_the_sessions_own_records_stay_its_own(tmp_path: Path, order: tuple[str, ...]) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "main.jsonl").write_bytes(log(user("u", 0, "go"), MAIN))
    own = assistant("b", 2, "msg_2", text("x"), isSidechain=True, agentId="acompact-1")
    (logs / "agent.jsonl").write_bytes(log(MAIN | COPY, own))
    book = tmp_path / "book.duckdb"
    create(book)
    for name in (*order, ""):
        place = logs / f"{name}.jsonl" if name else logs
        load_work(book, [f"claude-code:{place}"], WorkOptions())
    with open_book(book) as connection:
        assert run(connection, "SELECT agent_id FROM tool_usage") == [(None,)]
        rows = run(connection, "SELECT message_id, agent_id FROM communication_log ORDER BY ALL")
    assert rows == [("msg_1", None), ("msg_2", "acompact-1"), ("u", None)]
