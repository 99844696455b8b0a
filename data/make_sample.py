"""Write data/sample: two months of a small made-up fleet, the same files at each run.

The totals are those of the published tables: they are fixed first and then split into rows, so that
the files add up to the cent. Run it with `python data/make_sample.py`.
"""

from __future__ import annotations

import csv
import json
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FOLDER = Path(__file__).parent / "sample"
CENT = Decimal("0.01")
SEPTEMBER = datetime(2025, 9, 1, tzinfo=UTC)
OCTOBER = datetime(2025, 10, 1, tzinfo=UTC)
MONTHS = {SEPTEMBER: 30, OCTOBER: 31}
PRICES = {"SOL": Decimal("208.50"), "AKT": Decimal("1.24")}

NODES = {
    "alex-architect-ai": ("Alex the Architect", "agent"),
    "betty-backend-ai": ("Betty Backend Bot", "agent"),
    "carl-content-ai": ("Carl the Copywriter", "agent"),
    "dora-data-ai": ("Dora Data", "agent"),
    "gpu-rig-01": ("GPU rig 1", "gpu"),
    "gpu-rig-02": ("GPU rig 2", "gpu"),
    "miner-07": ("Miner 7", "miner"),
    "zoe-tester-ai": ("Zoe Tester", "agent"),
}
PROJECTS = {
    "proj-123": ("E-commerce platform", "Northwind Retail"),
    "proj-124": ("Booking calendar", "Harbour Clinic"),
    "proj-125": ("Warehouse dashboard", "Northwind Retail"),
    "proj-126": ("Image rendering", "Studio Lumen"),
    "proj-127": ("Model fine-tuning", "Corpus Labs"),
    "proj-128": ("Landing pages", "Bakery Sole"),
}
SITES = ("proj-123", "proj-124", "proj-125", "proj-128")
COMPUTE = ("proj-126", "proj-127")

# month -> who -> (earned, spent), in USD; "" is a fact of no known node
TOTALS: dict[datetime, dict[str, tuple[str, str]]] = {
    SEPTEMBER: {
        "alex-architect-ai": ("2100.00", "128.14"),
        "betty-backend-ai": ("1450.00", "88.00"),
        "carl-content-ai": ("1675.25", "61.40"),
        "dora-data-ai": ("2980.00", "140.25"),
        "gpu-rig-01": ("9240.60", "702.80"),
        "gpu-rig-02": ("8115.15", "655.91"),
        "miner-07": ("640.00", "118.50"),
        "": ("350.00", "55.00"),
    },
    OCTOBER: {
        "alex-architect-ai": ("2900.00", "151.86"),
        "betty-backend-ai": ("1750.00", "107.00"),
        "carl-content-ai": ("1320.75", "58.10"),
        "dora-data-ai": ("3410.00", "151.00"),
        "gpu-rig-01": ("11980.40", "733.20"),
        "gpu-rig-02": ("9402.85", "690.34"),
        "miner-07": ("98.00", "131.50"),
        "ghost-node-ai": ("210.00", "0.00"),
        "": ("0.00", "77.00"),
    },
}
SUBSCRIPTIONS = {SEPTEMBER: Decimal("4900.00"), OCTOBER: Decimal("5600.00")}
REVENUE = {SEPTEMBER: Decimal("38500.00"), OCTOBER: Decimal("45000.00")}
PAYMENTS = {SEPTEMBER: 5, OCTOBER: 6}
FAILING = 0.12
MODEL = "sample-model-1"
ALEX = "alex-architect-ai"
SETTLED = (Decimal("500.00"), Decimal("2.86"))
SESSIONS = {
    ALEX: (45, 4050, 12_450),
    "betty-backend-ai": (31, 2310, 7_918),
    "dora-data-ai": (12, 840, 2_204),
}


@dataclass(frozen=True)
class Moment:
    """An instant that prints as the files have it."""

    at: datetime

    def __str__(self) -> str:
        return self.at.strftime("%Y-%m-%dT%H:%M:%SZ")


class Sample:
    """Draws the rows; every table is a list of dictionaries in the order of its file."""

    def __init__(self, seed: int = 2025) -> None:
        self.random = random.Random(seed)
        self.earnings: list[dict[str, Any]] = []
        self.costs: list[dict[str, Any]] = []
        self.deployments: list[dict[str, Any]] = []
        self.uploads: list[dict[str, Any]] = []
        self.leases: list[dict[str, Any]] = []

    def split(self, total: Decimal, parts: int) -> list[Decimal]:
        """Split a total into parts of unequal size that add up to it, to the cent."""
        if total == 0:
            return []
        weights = [self.random.uniform(0.5, 1.5) for _ in range(parts)]
        amounts = [(total * Decimal(w / sum(weights))).quantize(CENT) for w in weights[:-1]]
        return [*amounts, total - sum(amounts, Decimal(0))]

    def moment(self, month: datetime) -> datetime:
        """Return an instant within a month, in office hours more often than not."""
        day = self.random.randrange(MONTHS[month])
        hour = min(23, max(0, round(self.random.gauss(14, 4))))
        return month + timedelta(days=day, hours=hour, minutes=self.random.randrange(60))

    def earn(self) -> None:
        """Draw the earnings of every node and month; a few are pending, a few failed."""
        for month, nodes in TOTALS.items():
            for node, (earned, _) in nodes.items():
                total = Decimal(earned)
                if node == ALEX and month == OCTOBER:
                    total -= SETTLED[0]
                    self._settled()
                for amount in self.split(total, PAYMENTS[month]):
                    self._earning(node, amount, self.moment(month))
        failed = {"payment_status": "failed", "paid_at": ""}
        self._earning(ALEX, Decimal("250.00"), OCTOBER + timedelta(days=12, hours=9), **failed)
        september = SEPTEMBER + timedelta(days=20)
        self._earning("zoe-tester-ai", Decimal("80.00"), september, **failed)
        waiting = [row for row in self.earnings if row["payment_status"] == "paid"][-9::4]
        for row in waiting:
            row |= {"payment_status": "pending", "paid_at": ""}

    def _settled(self) -> None:
        gross, deducted = SETTLED
        self._earning(
            ALEX,
            gross,
            OCTOBER + timedelta(days=5, hours=16, minutes=30),
            project_id="proj-123",
            costs_deducted_usd=deducted,
            amount_usd=gross - deducted,
            payment_type="project_completion",
        )

    def _earning(self, node: str, amount: Decimal, at: datetime, **given: Any) -> None:  # noqa: ANN401
        compute = node.startswith(("gpu", "miner"))
        places = COMPUTE if compute else [p for p in SITES if (node, p) != (ALEX, "proj-123")]
        kind = "project_fee" if compute else self.random.choice(["milestone", "milestone", "bonus"])
        paid = Moment(at + timedelta(days=self.random.randrange(1, 9)))
        self.earnings.append(
            {
                "node_id": node,
                "project_id": self.random.choice(list(places)) if node else "",
                "gross_amount_usd": amount,
                "costs_deducted_usd": Decimal("0.00"),
                "amount_usd": amount,
                "payment_type": kind,
                "payment_status": "paid",
                "earned_at": Moment(at),
                "paid_at": paid,
            }
            | given
        )

    def spend(self) -> None:
        """Draw the costs of every node and month; two uploads and leases carry a deployment."""
        self._deployment("proj-123", Decimal("0.36"), Decimal("2.50"))
        for month, nodes in TOTALS.items():
            for node, (_, spent) in nodes.items():
                total = Decimal(spent)
                if node == ALEX and month == OCTOBER:
                    total -= SETTLED[1]
                for amount in self.split(total, 4):
                    self._cost(node, amount, self.moment(month))

    def _deployment(self, project: str, upload: Decimal, lease: Decimal) -> None:
        at = OCTOBER + timedelta(days=4, hours=11)
        for number, (kind, provider, amount, token) in enumerate(
            [("frontend", "arweave", upload, "SOL"), ("backend", "akash", lease, "AKT")], 1
        ):
            deployment = f"dep-{number:03d}"
            self.deployments.append(
                {
                    "deployment_id": deployment,
                    "node_id": ALEX,
                    "project_id": project,
                    "deployment_type": kind,
                    "provider": provider,
                    "status": "live",
                    "deployed_at": Moment(at),
                }
            )
            tokens = (amount / PRICES[token]).quantize(Decimal("1e-9"))
            self._cost(
                ALEX,
                amount,
                at,
                project_id=project,
                deployment_id=deployment,
                category=provider,
                token=token,
                token_amount=tokens,
            )
            if provider == "arweave":
                self.uploads.append(
                    {
                        "upload_id": "upl-001",
                        "deployment_id": deployment,
                        "node_id": ALEX,
                        "project_id": project,
                        "tx_id": "sample-transaction-1",
                        "size_bytes": 18_350_080,
                        "cost_sol": tokens,
                        "cost_usd": amount,
                        "uploaded_at": Moment(at),
                    }
                )
            else:
                self.leases.append(
                    {
                        "akash_id": "aka-001",
                        "deployment_id": deployment,
                        "node_id": ALEX,
                        "project_id": project,
                        "dseq": "18012345",
                        "price_akt_per_hour": "0.0028",
                        "cost_akt": tokens,
                        "cost_usd": amount,
                        "started_at": Moment(at),
                    }
                )

    def _cost(self, node: str, amount: Decimal, at: datetime, **given: Any) -> None:  # noqa: ANN401
        compute = node.startswith(("gpu", "miner"))
        kinds = ["energy", "compute"] if compute else ["storage", "compute", "akash"]
        places = COMPUTE if compute else [p for p in SITES if (node, p) != (ALEX, "proj-123")]
        self.costs.append(
            {
                "node_id": node,
                "project_id": self.random.choice(list(places)) if node else "",
                "deployment_id": "",
                "category": self.random.choice(kinds),
                "amount_usd": amount,
                "token": "",
                "token_amount": "",
                "payment_status": "paid",
                "incurred_at": Moment(at),
                "paid_at": Moment(at + timedelta(days=1)),
            }
            | given
        )

    def subscriptions(self) -> Iterator[dict[str, Any]]:
        """Yield the bills of the subscribers, one a month."""
        customers = list(dict.fromkeys(customer for _, customer in PROJECTS.values()))
        for month, total in SUBSCRIPTIONS.items():
            for customer, amount in zip(customers, self.split(total, len(customers)), strict=True):
                yield {
                    "subscription_id": f"sub-{customer.split()[0].lower()}",
                    "customer": customer,
                    "plan": "team",
                    "amount_usd": str(amount),
                    "payment_status": "paid",
                    "billed_at": str(Moment(month + timedelta(hours=6))),
                    "paid_at": str(Moment(month + timedelta(days=2))),
                    "period_start": str(Moment(month)),
                    "period_end": str(Moment(month + timedelta(days=MONTHS[month]))),
                }

    def fees(self) -> Iterator[dict[str, Any]]:
        """Yield the fees that make up the rest of each month's revenue."""
        for month, nodes in TOTALS.items():
            earned = sum((Decimal(e) for e, _ in nodes.values()), Decimal(0))
            rest = REVENUE[month] - earned - SUBSCRIPTIONS[month]
            for amount in self.split(rest, 12):
                kind = self.random.choice(
                    ["platform_fee", "platform_fee", "transaction_fee", "listing_fee"]
                )
                yield {
                    "project_id": self.random.choice(list(PROJECTS)),
                    "amount_usd": amount,
                    "fee_type": kind,
                    "fee_percentage": {"platform_fee": "15", "transaction_fee": "2.5"}.get(
                        kind, ""
                    ),
                    "collected_at": Moment(self.moment(month)),
                }

    def prices(self) -> Iterator[dict[str, Any]]:
        """Yield a price a day for each token."""
        for token, price in PRICES.items():
            for day in range(sum(MONTHS.values())):
                drift = Decimal(self.random.randrange(-600, 600)) / 10_000
                at = SEPTEMBER + timedelta(days=day)
                exact = price if at == OCTOBER + timedelta(days=4) else price * (1 + drift)
                yield {
                    "token": token,
                    "priced_at": Moment(at),
                    "price_usd": exact.quantize(Decimal("0.0001")),
                }


class Work:
    """Draws what the nodes did: sessions, and within them tasks, changes, tools and messages."""

    def __init__(self, seed: int = 45) -> None:
        self.random = random.Random(seed)
        self.sessions: list[dict[str, Any]] = []
        self.tasks: list[dict[str, Any]] = []
        self.changes: list[dict[str, Any]] = []
        self.tools: list[dict[str, Any]] = []
        self.messages: list[dict[str, Any]] = []
        self.errors: list[dict[str, Any]] = []

    def draw(self) -> None:
        """Draw every node's sessions, one after another through the two months."""
        for node, (sessions, minutes, lines) in SESSIONS.items():
            lengths = self._parts(minutes, sessions, least=20)
            added = self._parts(lines, sessions, least=0)
            gap = timedelta(days=61) / sessions
            for number, (length, share) in enumerate(zip(lengths, added, strict=True)):
                start = SEPTEMBER + gap * number + timedelta(hours=self.random.randrange(1, 6))
                self._session(node, start.replace(second=0, microsecond=0), length, share)

    def _parts(self, total: int, parts: int, least: int) -> list[int]:
        """Split a whole number into parts that add up to it."""
        free = total - least * parts
        cuts = sorted(self.random.randrange(free + 1) for _ in range(parts - 1))
        ends = [0, *cuts, free]
        return [least + b - a for a, b in pairwise(ends)]

    def _session(self, node: str, start: datetime, minutes: int, lines: int) -> None:
        session = f"ses-{len(self.sessions) + 1:03d}"
        project = self.random.choice(SITES)
        end = start + timedelta(minutes=minutes)
        status = "failed" if self.random.random() < FAILING else "completed"
        kind = self.random.choice(["development", "development", "debugging", "testing"])
        base = {"session_id": session, "node_id": node, "project_id": project}
        self.sessions.append(
            {
                **base,
                "session_type": kind,
                "status": status,
                "description": f"{kind.capitalize()} of {PROJECTS[project][0].lower()}",
                "started_at": str(Moment(start)),
                "completed_at": str(Moment(end)),
                "total_duration_seconds": minutes * 60,
            }
        )
        self._talk(base, start)
        middle = start + timedelta(minutes=minutes // 2)
        for at, until, share in ((start, middle, lines // 2), (middle, end, lines - lines // 2)):
            self._task(base, at, until, share, failed=status == "failed" and until == end)

    def _talk(self, base: dict[str, Any], at: datetime) -> None:
        asked = f"msg-{len(self.messages) + 1:04d}"
        answered = f"msg-{len(self.messages) + 2:04d}"
        counts = {"input_tokens": self.random.randrange(400, 9000)}
        counts["output_tokens"] = self.random.randrange(200, 4000)
        self.messages += [
            {
                **base,
                "message_id": asked,
                "role": "user",
                "content_chars": 180,
                "sent_at": str(Moment(at)),
            },
            {
                **base,
                "message_id": answered,
                "parent_message_id": asked,
                "role": "assistant",
                "model": MODEL,
                **counts,
                "usage_final": True,
                "sent_at": str(Moment(at + timedelta(seconds=40))),
            },
        ]

    def _task(
        self, base: dict[str, Any], start: datetime, end: datetime, lines: int, *, failed: bool
    ) -> None:
        task = f"tsk-{len(self.tasks) + 1:03d}"
        ids = {"task_id": task, **base}
        self.tasks.append(
            {
                **ids,
                "task_type": self.random.choice(["code_generation", "file_edit", "testing"]),
                "task_name": f"Part {len(self.tasks) % 2 + 1}",
                "status": "failed" if failed else "completed",
                "success": not failed,
                "started_at": str(Moment(start)),
                "completed_at": str(Moment(end)),
            }
        )
        path = f"src/{self.random.choice(['cart', 'login', 'search', 'report', 'api'])}.ts"
        self.changes.append(
            {
                **ids,
                "file_path": path,
                "change_type": "modified",
                "lines_added": lines,
                "lines_deleted": lines // 4,
                "changed_at": Moment(start + (end - start) / 2),
            }
        )
        used = self.random.randrange(2, 12)
        self.tools.append(
            {
                **ids,
                "tool_name": self.random.choice(["bash", "edit", "write", "grep"]),
                "invocation_count": used,
                "success_count": used - failed,
                "total_duration_ms": used * self.random.randrange(200, 3000),
                "used_at": Moment(start),
            }
        )
        if failed:
            self.errors.append(
                {
                    **ids,
                    "error_type": "test_failure",
                    "error_class": "exit_code",
                    "error_message": "2 tests failed",
                    "tool_name": "bash",
                    "subject": path,
                    "resolved": False,
                    "occurred_at": str(Moment(end)),
                }
            )


def numbered(
    name: str, prefix: str, rows: Sequence[dict[str, Any]], at: str
) -> list[dict[str, Any]]:
    """Return the rows by time, each with a key of its own first."""
    numbers = count(1)
    ordered = sorted(rows, key=lambda row: str(row[at]))
    return [{name: f"{prefix}-{next(numbers):04d}", **row} for row in ordered]


def write_csv(name: str, rows: Sequence[dict[str, Any]]) -> None:
    """Write rows as CSV."""
    with (FOLDER / name).open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def write_jsonl(name: str, rows: Sequence[dict[str, Any]]) -> None:
    """Write rows as JSON lines."""
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (FOLDER / name).write_text(text, encoding="utf-8")


def main() -> None:
    """Write every file of the sample."""
    FOLDER.mkdir(exist_ok=True)
    sample, work = Sample(), Work()
    sample.earn()
    sample.spend()
    work.draw()
    begun = Moment(SEPTEMBER - timedelta(days=90))
    write_csv(
        "nodes.csv",
        [
            {
                "node_id": n,
                "node_name": name,
                "node_type": kind,
                "status": "active",
                "created_at": begun,
            }
            for n, (name, kind) in NODES.items()
        ],
    )
    write_csv(
        "projects.csv",
        [
            {"project_id": p, "project_name": name, "customer": customer, "created_at": begun}
            for p, (name, customer) in PROJECTS.items()
        ],
    )
    write_csv("deployments.csv", sample.deployments)
    write_csv("arweave_uploads.csv", sample.uploads)
    write_csv("akash_deployments.csv", sample.leases)
    write_csv("deployment_costs.csv", numbered("cost_id", "cost", sample.costs, "incurred_at"))
    write_csv("node_earnings.csv", numbered("earning_id", "ern", sample.earnings, "earned_at"))
    write_csv(
        "marketplace_revenue.csv",
        numbered("revenue_id", "fee", list(sample.fees()), "collected_at"),
    )
    bills = numbered("revenue_id", "bill", list(sample.subscriptions()), "billed_at")
    (FOLDER / "subscription_revenue.json").write_text(
        json.dumps(bills, indent=1) + "\n", encoding="utf-8"
    )
    write_csv("token_prices.csv", list(sample.prices()))
    # The fleet runs its model on its own machines: what it costs stands with compute and energy.
    rates = [f"{kind}_usd_per_mtok" for kind in ("input", "output")]
    own = {"model": MODEL, "provider": "own machines", "valid_from": begun}
    write_csv("model_prices.csv", [own | dict.fromkeys(rates, "0.00")])
    write_jsonl("work_sessions.jsonl", work.sessions)
    write_jsonl("work_tasks.jsonl", work.tasks)
    write_csv("file_changes.csv", numbered("change_id", "chg", work.changes, "changed_at"))
    write_csv("tool_usage.csv", numbered("usage_id", "use", work.tools, "used_at"))
    write_jsonl("communication_log.jsonl", work.messages)
    write_jsonl("error_log.jsonl", numbered("error_id", "err", work.errors, "occurred_at"))


if __name__ == "__main__":
    main()
