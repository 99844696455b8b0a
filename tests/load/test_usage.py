"""Tokens are priced at the price of their time, exactly, once; later prices only when asked."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.load import books

from pnlbook import migrate, sql
from pnlbook.book import run
from pnlbook.load import list_prices, usage
from pnlbook.load.derive import reprice_book
from pnlbook.load.usage import Repriced, Repricing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

pytestmark = pytest.mark.core

EXACT = Context(prec=120, rounding=ROUND_HALF_UP)
KINDS = ("input", "cache_read", "cache_write_5m", "cache_write_1h", "output")
HEADER = (
    "message_id,role,model,"
    + ",".join(f"{kind}_tokens" for kind in KINDS)
    + ",cost_usd,cost_basis,node_id,sent_at"
)


@dataclass(frozen=True)
class Price:
    """A price from an instant and a number of input tokens on; USD for a million tokens."""

    model: str
    since: datetime
    from_tokens: int
    rates: tuple[Decimal | None, ...]
    listed: bool = True

    @property
    def key(self) -> str:
        return f"{'list' if self.listed else 'own'} {self.model} {self.since} {self.from_tokens}"


@dataclass(frozen=True)
class Message:
    """A message with the tokens of KINDS."""

    key: str
    model: str | None
    tokens: tuple[int | None, ...]
    at: datetime
    given: Decimal | None = None


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def cost(message: Message, prices: Sequence[Price]) -> Decimal | None:
    """Return what a message costs, by the rules in words, in plain Python."""
    if message.given is not None:
        return message.given
    if not any(message.tokens):
        return None
    past = [p for p in prices if p.model == message.model and p.since <= message.at]
    own = [p for p in past if not p.listed]
    past = own or past
    last = max((p.since for p in past), default=None)
    size = sum(count or 0 for count in message.tokens[:4])
    tiers = [p for p in past if p.since == last and p.from_tokens <= size]
    if not tiers:
        return None
    rates = max(tiers, key=lambda p: p.from_tokens).rates
    total = Decimal(0)
    for count, rate in zip(message.tokens, rates, strict=True):
        if count:
            if rate is None or count < 0:
                return None
            total = EXACT.add(total, EXACT.multiply(Decimal(count), rate))
    return EXACT.quantize(total.scaleb(-6, EXACT), Decimal("1e-12"))


def rates(*texts: str | None) -> tuple[Decimal | None, ...]:
    return tuple(None if text is None else Decimal(text) for text in texts)


# Copied by hand from what the providers publish.
EVER = at("1970-01-02")
ONE_PRICE = at("2026-03-13")
OPUS, SONNET, O3 = "claude-opus-4-6", "claude-sonnet-4-5-20250929", "o3"
BEDROCK = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
PUBLISHED = [
    Price(OPUS, EVER, 0, rates("5", "0.50", "6.25", "10", "25")),
    Price(OPUS, EVER, 200_001, rates("10", "1.00", "12.50", "20", "37.50")),
    Price(OPUS, ONE_PRICE, 0, rates("5", "0.50", "6.25", "10", "25")),
    Price(SONNET, EVER, 0, rates("3", "0.30", "3.75", "6", "15")),
    Price(SONNET, EVER, 200_001, rates("6", "0.60", "7.50", "12", "22.50")),
    Price("anthropic/claude-opus-4-1", EVER, 0, rates("15", "1.50", "18.75", "30", "75")),
    Price(BEDROCK, EVER, 0, rates("3.30", "0.33", "4.125", "6.60", "16.50")),
    Price("gpt-5-codex", EVER, 0, rates("1.25", "0.125", None, None, "10")),
    Price(O3, EVER, 0, rates("10", None, None, None, "40")),
    Price(O3, at("2025-06-10"), 0, rates("2", None, None, None, "8")),
]
TURN = timedelta(microseconds=1)
TALK = [
    Message("1", OPUS, (100, 2_000, 300, 40, 500), ONE_PRICE - TURN),
    Message("2", OPUS, (100_000, 99_000, 500, 500, 7), ONE_PRICE - TURN),
    Message("3", OPUS, (100_000, 99_000, 500, 501, 7), ONE_PRICE - TURN),
    Message("4", OPUS, (100_000, 99_000, 500, 501, 7), ONE_PRICE),
    Message("5", SONNET, (1, 1, 1, 1, 1), at("2025-10-01")),
    Message("6", SONNET, (0, 200_001, 0, None, 1), at("2025-10-01")),
    Message("7", "anthropic/claude-opus-4-1", (3, 5, 7, 11, 13), at("2025-10-01")),
    Message("8", BEDROCK, (3, 5, 7, 11, 13), at("2025-10-01")),
    Message("9", "gpt-5-codex", (12_345, 67_890, 0, 0, 1_717), at("2025-10-01")),
    Message("10", "gpt-5-codex", (1, 1, 0, 1, 1), at("2025-10-01")),  # no rate for that write
    Message("11", O3, (12_345, 0, 0, 0, 1_717), at("2025-06-10") - TURN),
    Message("12", O3, (12_345, 0, 0, 0, 1_717), at("2025-06-10")),
    Message("13", "house-model", (1, 0, 0, 0, 1), at("2025-10-01")),
    Message("14", None, (1, 0, 0, 0, 1), at("2025-10-01")),
    Message("15", "<synthetic>", (0, 0, None, 0, 0), at("2025-10-01")),
    Message("16", None, (None,) * 5, at("2025-10-01")),
    Message("17", OPUS, (1, 1, 1, 1, 1), at("2025-10-01"), given=Decimal("0.5")),
    Message("18", "house-model", (None,) * 5, at("2025-10-01"), given=Decimal("0.25")),
]


@pytest.fixture
def book(tmp_path: Path) -> Path:
    return books.new_book(tmp_path)


def talk(*messages: Message, basis: str = "") -> str:
    """Return a file of messages."""
    lines = []
    for message in messages:
        counts = ["" if count is None else str(count) for count in message.tokens]
        given = "" if message.given is None else str(message.given)
        cells = [message.key, "assistant", message.model or "", *counts, given, basis, "n"]
        lines.append(",".join([*cells, message.at.isoformat()]))
    return "\n".join([HEADER, *lines]) + "\n"


def load_talk(book: Path, *messages: Message, basis: str = "", name: str = "talk.csv") -> None:
    path = books.write(book.parent, name, talk(*messages, basis=basis))
    books.load_into(book, path, table="communication_log")


def load_prices(book: Path, *lines: str) -> None:
    header = "model,valid_from,input_usd_per_mtok,output_usd_per_mtok"
    path = books.write(book.parent, "model_prices.csv", "\n".join([header, *lines]) + "\n")
    books.load_into(book, path)


def costs(book: Path) -> dict[str, Decimal | None]:
    return dict(books.rows(book, "SELECT message_id, cost_usd FROM communication_log"))


def offended(book: Path, *, severity: str = "fail") -> list[str]:
    """Return the names of the checks that a book does not pass."""
    checks = [check for check in sql.checks() if check.severity == severity]
    found = [
        books.rows(book, f"SELECT count(*) FROM ({check.sql.rstrip().rstrip(';')}\n)")[0][0]
        for check in checks
    ]
    return [check.name for check, rows in zip(checks, found, strict=True) if rows]


def reprice_in(
    book: Path,
    repricing: Repricing = Repricing(),  # noqa: B008 - frozen
    *,
    dry_run: bool = False,
) -> Repriced:
    return reprice_book(book, repricing, dry_run=dry_run, timeout=5)


# Prices of their time


def test_tokens_cost_what_the_providers_publish(book: Path) -> None:
    load_talk(book, *TALK)
    assert costs(book) == {message.key: cost(message, PUBLISHED) for message in TALK}
    by_hand = Decimal("1.0000000") + Decimal("0.0990000")  # 10.00 and 1.00 for a million
    by_hand += Decimal("0.0062500") + Decimal("0.0100200") + Decimal("0.0002625")
    assert costs(book)["3"] == by_hand
    unknown = [key for key, usd in costs(book).items() if usd is None]
    assert unknown == ["10", "13", "14", "15", "16"]
    assert offended(book) == []


def test_a_message_keeps_the_price_that_was_used_and_whose_word_it_is(book: Path) -> None:
    load_talk(book, *(message for message in TALK if message.key in {"3", "13", "17"}))
    found = books.rows(
        book,
        "SELECT message_id, cost_basis, model_prices.model, from_input_tokens, provider, "
        "model_prices.source FROM communication_log LEFT JOIN model_prices USING (price_id) "
        "ORDER BY message_id",
    )
    nothing = (None, None, None, None)
    assert found == [
        ("13", None, *nothing),
        ("17", None, *nothing),
        ("3", "list", OPUS, 200_001, "anthropic", "genai-prices"),
    ]


def test_an_estimate_stays_one(book: Path) -> None:
    load_talk(book, TALK[0], TALK[12], basis="estimate")
    found = books.rows(book, "SELECT cost_basis, cost_usd FROM communication_log ORDER BY 2")
    assert found == [("estimate", cost(TALK[0], PUBLISHED)), ("estimate", None)]


def test_list_prices_are_a_load_of_their_own(book: Path) -> None:
    load_talk(book, TALK[0])
    assert books.rows(
        book,
        "SELECT load_id, batch_id, table_name, source, location, rows_read, rows_added "
        "FROM loads WHERE table_name = 'model_prices'",
    ) == [(2, 1, "model_prices", "genai-prices", f"genai-prices {installed()}", 3, 3)]
    assert books.rows(book, "SELECT DISTINCT source, load_id FROM model_prices") == [
        ("genai-prices", 2)
    ]
    load_talk(book, replace(TALK[4], key="more"), name="more.csv")
    load_talk(book, replace(TALK[0], key="again"), name="again.csv")
    loads = books.rows(book, "SELECT table_name FROM loads ORDER BY load_id")
    assert [name for (name,) in loads] == [
        "communication_log",
        "model_prices",
        "communication_log",
        "model_prices",
        "communication_log",
    ]
    assert offended(book) == []


def installed() -> str:
    return list_prices.installed()


def test_a_dry_run_adds_no_price(book: Path) -> None:
    path = books.write(book.parent, "talk.csv", talk(TALK[0]))
    books.load_into(book, path, table="communication_log", dry_run=True)
    assert books.rows(book, "SELECT (SELECT count(*) FROM model_prices), count(*) FROM loads") == [
        (0, 0)
    ]


def test_prices_come_without_a_network(book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        message = "there is no network"
        raise OSError(message)

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    list_prices._snapshot.cache_clear()
    load_talk(book, TALK[0])
    assert costs(book) == {"1": cost(TALK[0], PUBLISHED)}


def test_list_prices_are_read_only_for_an_unknown_model(book: Path) -> None:
    """Reading them takes a third of a second, which no other load should pay."""
    load_talk(book, TALK[0])
    load_prices(book, "house-model,,1,2")
    known = replace(TALK[12], key="known")
    path = books.write(book.parent, "more.csv", talk(known, replace(TALK[3], key="new")))
    program = (
        "import sys; import pnlbook.cli.app; from pathlib import Path; "
        "from pnlbook.load import LoadOptions, load; "
        f"load(Path({str(book)!r}), [{str(path)!r}], LoadOptions(table='communication_log')); "
        "sys.exit('genai_prices.data' in sys.modules or 'genai_prices' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
    assert costs(book)["known"] == Decimal("0.000003")


def test_usage_that_is_not_final_stays_marked(book: Path) -> None:
    text = "message_id,role,model,output_tokens,usage_final,sent_at\n"
    rows = f"a,assistant,{OPUS},9,false,2026-01-01\nb,assistant,{OPUS},9,true,2026-01-01\n"
    books.load_into(book, books.write(book.parent, "communication_log.csv", text + rows))
    found = books.rows(book, "SELECT usage_final, cost_usd FROM model_rows() ORDER BY message_id")
    assert found == [(False, Decimal("0.000225")), (True, Decimal("0.000225"))]


# The names that logs use


@pytest.mark.parametrize(
    ("name", "provider", "output"),
    [
        ("claude-opus-4-6", "anthropic", "25"),
        ("claude-opus-4-6[1m]", "anthropic", "25"),
        ("claude-sonnet-4-5@20250929", "anthropic", "15"),
        ("anthropic/claude-sonnet-4-5", "anthropic", "15"),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "aws", "16.5"),
        ("global.anthropic.claude-sonnet-4-5-20250929-v1:0", "aws", "15"),
        ("anthropic.claude-3-opus-20240229-v1:0", "aws", "75"),
        ("bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0", "aws", "16.5"),
        ("arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-opus-5", "aws", "27.5"),
        ("gpt-5-codex", "openai", "10"),
        ("openai/gpt-5", "openai", "10"),
        ("gemini-2.5-pro", "google", "10"),
    ],
)
def test_a_model_is_known_by_the_names_of_logs(name: str, provider: str, output: str) -> None:
    first = list_prices.list_prices(name)[0]
    assert (first.model, first.provider, first.output_usd_per_mtok) == (
        name,
        provider,
        Decimal(output),
    )


@pytest.mark.parametrize(
    "name",
    [
        "",
        "<synthetic>",
        "claude",
        "claude-opus-4-99",
        "llama3.1:8b",
        "ollama/llama3",
        "my-machine/claude-opus-4-6",
        "sample-model-1",
    ],
)
def test_a_model_that_nobody_lists_has_no_price(name: str) -> None:
    assert list_prices.list_prices(name) == []


def test_a_price_by_the_time_of_day_or_the_request_is_none() -> None:
    assert list_prices.list_prices("deepseek-chat") == []
    assert list_prices.list_prices("perplexity/sonar-pro") == []


def test_no_rate_is_made_up() -> None:
    """A model of Anthropic has a rate for writes of an hour only where it is published."""
    (oldest,) = list_prices.list_prices("claude-2.1")
    assert (oldest.input_usd_per_mtok, oldest.cache_write_1h_usd_per_mtok) == (Decimal(8), None)
    (haiku,) = list_prices.list_prices("claude-3-haiku-20240307")
    assert haiku.cache_write_5m_usd_per_mtok == Decimal("0.3")  # not 1.25 x 0.25


# Prices that people load


def test_own_prices_need_a_model_and_rates_only(book: Path) -> None:
    text = "model,input_usd_per_mtok,output_usd_per_mtok\nhouse-model,0,0\n"
    books.load_into(book, books.write(book.parent, "model_prices.csv", text))
    load_talk(book, TALK[12])
    assert costs(book) == {"13": Decimal(0)}
    text = "model,input_usd_per_mtok,output_usd_per_mtok\nhouse-model,1,0\n"
    result = books.load_into(book, books.write(book.parent, "model_prices.csv", text))
    assert (result.rows_added, result.rows_superseded) == (0, 1)
    found = books.rows(book, "SELECT price_id, source, source_key FROM model_prices")
    assert found == [("house-model 1970-01-02 00:00:00+00 0", "file", found[0][0])]
    assert costs(book) == {"13": Decimal(0)}  # a later price changes nothing
    assert offended(book) == []


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("house-model,0,-1", "breaks the rule"),
        (",0,1", "is empty, but every row needs it"),
        ("house-model,0,1.0000000000001", "has more than 12 decimals, which would be lost"),
        ("house-model,0,1\nhouse-model,0,2", "is the key of several rows"),
    ],
)
def test_a_price_that_cannot_be_is_refused(book: Path, line: str, reason: str) -> None:
    text = f"model,input_usd_per_mtok,output_usd_per_mtok\n{line}\n"
    path = books.write(book.parent, "model_prices.csv", text)
    result = books.load_into(book, path, max_rejects=None)
    assert re.search(reason, result.files[0].rejects[0].reason)
    assert books.rows(book, "SELECT count(*) FROM model_prices") == [(0,)]


def test_an_own_price_goes_before_the_list_price_from_its_time_on(book: Path) -> None:
    load_prices(book, f"{OPUS},2026-02-01,1,2")
    before, after = at("2026-02-01") - TURN, at("2026-04-01")
    load_talk(
        book,
        Message("before", OPUS, (1_000_000, 0, 0, 0, 0), before),
        Message("after", OPUS, (1_000_000, 0, 0, 0, 0), after),
        Message("no rate", OPUS, (1, 1, 0, 0, 0), after),
    )
    # ever: the tier above 200,000; the list price of March counts no more
    assert costs(book) == {"before": Decimal(10), "after": Decimal(1), "no rate": None}


def test_a_cost_that_the_source_gives_is_never_touched(book: Path) -> None:
    load_talk(book, TALK[0])
    load_talk(book, replace(TALK[0], given=Decimal("0.75")), basis="actual", name="bill.csv")
    row = "SELECT cost_usd, cost_basis, price_id FROM communication_log WHERE message_id = '1'"
    assert books.rows(book, row) == [(Decimal("0.75"), "actual", None)]
    assert reprice_in(book, Repricing(everything=True)).messages == 0
    load_talk(book, TALK[0], TALK[15], name="back.csv")
    ((usd, basis, price_id),) = books.rows(book, row)
    assert (usd, basis) == (cost(TALK[0], PUBLISHED), "list")
    assert price_id is not None
    assert offended(book) == []


def test_our_prices_make_no_row_another(book: Path) -> None:
    load_talk(book, *TALK, basis="")
    path = books.write(book.parent, "copy.csv", talk(*TALK) + "\n")
    result = books.load_into(book, path, table="communication_log")
    assert (result.rows_superseded, result.rows_unchanged) == (0, len(TALK))


def test_a_message_that_grew_is_priced_again(book: Path) -> None:
    load_talk(book, TALK[0])
    grown = replace(TALK[0], tokens=(100, 2_000, 300, 40, 900))
    load_talk(book, grown, name="grown.csv")
    assert costs(book) == {"1": cost(grown, PUBLISHED)}
    emptied = replace(TALK[0], tokens=(None,) * 5)
    load_talk(book, emptied, name="emptied.csv")
    row = "SELECT cost_usd, cost_basis, price_id FROM communication_log"
    assert books.rows(book, row) == [(None, None, None)]
    history = books.rows(
        book, "SELECT cost_usd FROM communication_log_history ORDER BY superseded_by"
    )
    assert history == [(cost(TALK[0], PUBLISHED),), (cost(grown, PUBLISHED),)]
    assert offended(book) == []


def test_a_price_id_cannot_be_loaded(book: Path) -> None:
    text = f"message_id,role,price_id,model,output_tokens,sent_at\na,user,x,{OPUS},1,2026-01-01\n"
    result = books.load_into(book, books.write(book.parent, "communication_log.csv", text))
    assert "price_id" in result.files[0].notes[0]
    assert costs(book) == {"a": Decimal("0.000025")}


@pytest.mark.parametrize("count", [-5, 2**63 - 1])
def test_what_is_no_count_of_tokens_has_no_price(book: Path, count: int) -> None:
    load_talk(book, Message("a", OPUS, (count, 0, 0, 0, count), at("2026-01-01")))
    assert costs(book) == {"a": None}
    assert offended(book, severity="warn") == ["unknown_node", "unpriced"]


# Pricing anew


def test_a_later_price_is_used_only_when_asked_for(book: Path) -> None:
    load_talk(book, TALK[12], TALK[3], TALK[13])
    was = costs(book)
    load_prices(book, "house-model,,1,2")
    assert costs(book) == was
    last = books.rows(book, "SELECT max(load_id) FROM loads")[0][0]
    dry = reprice_in(book, dry_run=True)
    assert costs(book) == was
    result = reprice_in(book)
    assert asdict(dry) == asdict(result)
    assert asdict(result) == {
        "load_id": last + 1,
        "messages": 2,
        "changed": 1,
        "unpriced": 1,
        "before_usd": Decimal(0),
        "after_usd": Decimal("0.000003"),
    }
    assert costs(book) == was | {"13": Decimal("0.000003")}
    assert books.rows(
        book,
        "SELECT table_name, source, rows_read, rows_superseded, rows_unchanged, amount_usd "
        f"FROM loads WHERE load_id = {last + 1}",
    ) == [("communication_log", "pnlbook", 2, 1, 1, Decimal("0.000003"))]
    past = f"SELECT message_id, cost_usd FROM model_rows(as_of := {last})"
    assert dict(books.rows(book, past)) == was
    assert offended(book) == []
    assert reprice_in(book).load_id is None


def test_pricing_all_anew_supersedes_what_changes(book: Path) -> None:
    load_talk(book, TALK[3], TALK[4], TALK[8])
    figures = "SELECT total_costs_usd, net_profit_usd FROM node_profit(as_of := 2)"
    was = books.rows(book, figures)
    load_prices(book, f"{OPUS},2026-01-01,1,1", f"{SONNET},2025-01-01,1,1")
    only = reprice_in(book, Repricing(models=(SONNET,), everything=True))
    assert (only.messages, only.changed) == (1, 0)  # of cache reads, no rate is known now
    since = int(ONE_PRICE.timestamp() * 1_000_000)
    assert reprice_in(book, Repricing(since=since + 1, everything=True)).messages == 0
    result = reprice_in(book, Repricing(since=since, everything=True))
    assert (result.messages, result.changed) == (1, 0)
    text = (
        "model,valid_from,input_usd_per_mtok,cache_read_usd_per_mtok,cache_write_5m_usd_per_mtok,"
        "cache_write_1h_usd_per_mtok,output_usd_per_mtok\n"
        f"{OPUS},2026-01-01,1,1,1,1,1\n"
    )
    books.load_into(book, books.write(book.parent, "contract.csv", text), table="model_prices")
    result = reprice_in(book, Repricing(everything=True))
    assert (result.messages, result.changed) == (3, 1)
    assert costs(book)["4"] == Decimal("0.200008")
    assert result.after_usd - result.before_usd == Decimal("0.200008") - (
        cost(TALK[3], PUBLISHED) or 0
    )
    assert books.rows(book, figures) == was
    assert offended(book) == []


def test_a_message_priced_anew_is_found_in_its_file(book: Path) -> None:
    load_talk(book, TALK[12])
    load_prices(book, "house-model,,1,2")
    reprice_in(book)
    load_prices(book, "house-model,,1,3")
    reprice_in(book, Repricing(everything=True))
    ((location, line, usd),) = books.rows(
        book, "SELECT location, source_line, cost_usd FROM node_source_rows('n')"
    )
    assert (location.rpartition("/")[2], line, usd) == ("talk.csv", 2, Decimal("0.000004"))


# A new version of the list prices


@contextmanager
def listing(
    monkeypatch: pytest.MonkeyPatch, number: str, *dated: tuple[str | None, str]
) -> Iterator[None]:
    """List a model with prices of input from dates on, in some version of the package."""
    from genai_prices.data_snapshot import DataSnapshot  # noqa: PLC0415 - as the code does
    from genai_prices.types import (  # noqa: PLC0415 - the same
        ClauseStartsWith,
        ConditionalPrice,
        ModelInfo,
        ModelPrice,
        Provider,
        StartDateConstraint,
        Tier,
        TieredPrices,
    )

    def prices(text: str) -> ModelPrice:
        base, _, above = text.partition("/")
        if not above:
            return ModelPrice(input_mtok=Decimal(base))
        return ModelPrice(input_mtok=TieredPrices(Decimal(base), [Tier(1000, Decimal(above))]))

    listed = [
        ConditionalPrice(StartDateConstraint(at(day).date()) if day else None, prices=prices(text))
        for day, text in dated
    ]
    match = ClauseStartsWith("listed")
    info = ModelInfo("listed", match, prices=listed)
    provider = Provider("p", "P", "p", model_match=match, models=[info])
    with monkeypatch.context() as patch:
        snapshot = DataSnapshot([provider], from_auto_update=False)
        patch.setattr(list_prices, "_snapshot", lambda: snapshot)
        patch.setattr(list_prices, "installed", lambda: number)
        yield


def test_a_new_version_is_looked_at_again(book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def say(key: str, day: str, tokens: int = 1_000_000) -> Message:
        return Message(key, "listed", (tokens, 0, 0, 0, 0), at(day))

    with listing(monkeypatch, "1", (None, "1/2"), ("2025-06-01", "3/5")):
        load_talk(book, say("a", "2025-05-01"), say("b", "2025-07-01"), say("c", "2025-07-01", 9))
    first = {"a": Decimal(2), "b": Decimal(5), "c": Decimal("0.000027")}
    assert costs(book) == first
    # a price was added, one was one tier, and one had been given a wrong day
    with listing(monkeypatch, "2", (None, "1"), ("2025-08-01", "3/5"), ("2025-09-01", "7")):
        texts = [say(f"{day}", f"2025-{day}-15") for day in ("05", "07", "08", "09")]
        load_talk(book, *texts, name="second.csv")
        load_talk(book, say("d", "2025-09-15"), name="third.csv")
    assert costs(book) == first | {
        "05": Decimal(1),
        "07": Decimal(1),
        "08": Decimal(5),
        "09": Decimal(7),
        "d": Decimal(7),
    }
    loads = "SELECT location, rows_added, rows_superseded, rows_unchanged FROM loads "
    assert books.rows(book, f"{loads} WHERE format = 'package' ORDER BY load_id") == [
        ("genai-prices 1", 4, 0, 0),
        ("genai-prices 2", 3, 3, 1),
    ]
    assert offended(book) == []
    with listing(monkeypatch, "3", (None, "1"), ("2025-08-01", "3/5"), ("2025-09-01", "7")):
        load_talk(book, say("e", "2025-09-15"), name="fourth.csv")
        load_talk(book, say("f", "2025-09-15"), name="fifth.csv")
    same = books.rows(book, f"{loads} WHERE format = 'package' ORDER BY load_id")[2:]
    assert same == [("genai-prices 3", 0, 0, 7)]


# Any messages, any prices

MOMENTS = [at("2025-01-01") + timedelta(days=day) for day in range(4)]
moments = st.sampled_from(MOMENTS)
models = st.sampled_from(["m", "n"])
sizes = st.sampled_from([None, 0, 1, 2, 999, 1000, 200_001]) | st.integers(0, 10**7)
some_rates = st.none() | st.sampled_from(["0", "0.125", "15"]).map(Decimal)
some_rates |= st.integers(0, 10**14).map(lambda n: Decimal(n).scaleb(-12))
random_prices = st.lists(
    st.builds(
        Price,
        models,
        moments,
        st.sampled_from([0, 0, 1, 1000]),
        st.tuples(*[some_rates] * 5),
        listed=st.booleans(),
    ),
    max_size=8,
    unique_by=lambda price: price.key,
)
random_messages = st.lists(
    st.builds(
        Message,
        st.just(""),
        st.sampled_from(["m", "n", "nobody's", None]),
        st.tuples(*[sizes] * 5),
        moments | st.sampled_from([moment - TURN for moment in MOMENTS]),
        given=st.none() | st.none() | st.just(Decimal("0.125")),
    ),
    max_size=8,
)


@pytest.fixture(scope="module")
def memory() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        migrate.install(connection)
        yield connection


def put(connection: duckdb.DuckDBPyConnection, table: str, row: dict[str, Any]) -> None:
    lineage = {"source": "s", "source_key": "k", "load_id": 1}
    row = {name: value for name, value in (lineage | row).items() if value is not None}
    marks = ", ".join("?" for _ in row)
    run(connection, f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", list(row.values()))


def found_costs(
    connection: duckdb.DuckDBPyConnection, prices: Sequence[Price], parts: Sequence[list[Message]]
) -> dict[str, Decimal | None]:
    """Return the costs of messages that come in parts, a load each."""
    run(connection, "BEGIN")
    try:
        for one in prices:
            names = [f"{kind}_usd_per_mtok" for kind in KINDS]
            row: dict[str, Any] = {"price_id": one.key, "model": one.model}
            row |= {"valid_from": one.since.isoformat(), "from_input_tokens": one.from_tokens}
            row |= {"source": "genai-prices" if one.listed else "contract"}
            put(connection, "model_prices", row | dict(zip(names, one.rates, strict=True)))
        for load_id, part in enumerate(parts, start=1):
            for message in part:
                names = [f"{kind}_tokens" for kind in KINDS]
                row = {"message_id": message.key, "role": "assistant", "model": message.model}
                row |= {"sent_at": message.at.isoformat(), "load_id": load_id}
                row |= {"cost_usd": message.given}
                tokens = dict(zip(names, message.tokens, strict=True))
                put(connection, "communication_log", row | tokens)
            usage.price(connection, load_id)
        return dict(run(connection, "SELECT message_id, cost_usd FROM communication_log"))
    finally:
        run(connection, "ROLLBACK")


@given(prices=random_prices, messages=random_messages, data=st.data())
@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_a_cost_depends_on_no_order_and_no_cut(
    memory: duckdb.DuckDBPyConnection,
    prices: list[Price],
    messages: list[Message],
    data: st.DataObject,
) -> None:
    messages = [replace(message, key=str(n)) for n, message in enumerate(messages)]
    expected = {message.key: cost(message, prices) for message in messages}
    assert found_costs(memory, prices, [messages]) == expected
    shuffled = data.draw(st.permutations(messages))
    cut = data.draw(st.integers(0, len(messages)))
    assert found_costs(memory, prices, [shuffled[:cut], [], shuffled[cut:]]) == expected
