"""The backup report in words, tiles and tables, as HTML that a screen reader can follow."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from pnlbook.reports.backup_charts import MOST_BACKUPS
from pnlbook.reports.backup_words import ago, cost, instant, seconds, since, size
from pnlbook.reports.figures import NO_DATA, count
from pnlbook.reports.statement import period_label
from pnlbook.reports.tables import html_row, html_table, mark, tile

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import polars as pl

    from pnlbook.reports.backups import Backups

MOST_ROWS = 60  # of a table without pages; the download has them all

_HEALTH: dict[str, Callable[[dict[str, Any], Backups], str]] = {
    "Copies": lambda vault, _: f"{vault['copies']:,}",
    "Verified": lambda vault, _: f"{vault['verified']:,}",
    "Permanent": lambda vault, _: f"{vault['permanent']:,}",
    "Not yet read back": lambda vault, _: f"{vault['posted'] + vault['seen']:,}",
    "Missing": lambda vault, _: f"{vault['missing']:,}",
    "Damaged": lambda vault, _: f"{vault['damaged']:,}",
    "Latest backup verified": lambda vault, _: ago(vault["latest_verified_age_seconds"]),
    "Oldest verification": lambda vault, at: since(at.moment, vault["oldest_verification_at"]),
    "Last put": lambda vault, at: since(at.moment, vault["last_put_at"]),
    "Last get": lambda vault, at: since(at.moment, vault["last_get_at"]),
    "Put, median of 30 days": lambda vault, _: seconds(vault["put_seconds"]),
    "Get, median of 30 days": lambda vault, _: seconds(vault["get_seconds"]),
    "Failed in 30 days": lambda vault, _: f"{vault['failures_30_days']:,}",
    "Warnings": lambda vault, _: "<br>".join(map(mark, vault["warnings"])) or "none",
}


def header(title: str, backups: Backups) -> str:
    """Return the title with the book, its time zone and the age of its latest backups."""
    latest = [
        f"latest {kind} backup {since(backups.moment, row['created_at'])}"
        for kind, row in (("full", backups.full), ("incremental", backups.incremental))
        if row is not None
    ]
    facts = " · ".join(
        [
            f"Book <strong>{escape(backups.name)}</strong>",
            f"times in {escape(backups.timezone)}",
            *(latest or ["no full backup"]),
        ]
    )
    return f'<header class="pnl-head"><h1>{escape(title)}</h1><p>{facts}</p></header>'


def protection(backups: Backups) -> str:
    """Return whether the book is protected, in one sentence with its reasons."""
    reasons = backups.warnings["reason"].to_list()
    if not reasons:
        said = (
            "<strong>Protected: yes.</strong> The newest backup can be restored, no schedule is "
            "overdue, and the last drill succeeded."
        )
    elif backups.protected:
        said = f"<strong>Protected: yes</strong>, with {count(len(reasons), 'warning')}:"
    else:
        said = "<strong>Protected: no</strong>, because:"
    return f'<div role="status"><p>{said}</p>{_listed(reasons)}</div>'


def key_figures(backups: Backups) -> str:
    """Return what is kept, verified and drilled, the latest backups, and the costs, as tiles."""
    row = backups.figures
    month = period_label(row["month"], "month")
    tiles = [
        tile("Backups kept", f"{row['kept']:,}", f"of {row['made']:,} made"),
        tile("Stored", size(row["kept_bytes"]), f"{size(row['stored_bytes'])} with every copy"),
        tile(
            "Copies verified",
            f"{row['verified_copies']:,} of {row['copies']:,}",
            "read back and found equal",
        ),
        _drill_tile(row),
        _latest_tile("full", backups),
        _latest_tile("incremental", backups),
        _cost_tile(f"Cost in {month}", row["month_cost_usd"], row["month_unpriced_backups"]),
        _cost_tile("Cost in all", row["cost_usd"], row["unpriced_backups"]),
    ]
    return f'<dl class="pnl-tiles">{"".join(tiles)}</dl>'


def vaults_table(backups: Backups) -> str:
    """Return the rows of backup_health, a column each: vaults are few and their figures many."""
    vaults = backups.vaults.rows(named=True)
    body = "".join(
        html_row(name, [tell(vault, backups) for vault in vaults]) for name, tell in _HEALTH.items()
    )
    names = [_vault_name(vault) for vault in vaults]
    return html_table("Copies, speed and failures by vault", _heads(["", *names]), body)


def costs_table(costs: pl.DataFrame) -> str:
    """Return the newest rows of backup_costs."""
    heads = ("Month", "Type", "Backups", "Stored", "Cost", "SOL", "Until then", "Cost unknown")
    shown = costs.head(MOST_ROWS).iter_rows(named=True)
    body = "".join(html_row(period_label(row["month"], "month"), _cost_cells(row)) for row in shown)
    older = max(len(costs) - MOST_ROWS, 0)
    omitted = f"; {count(older, 'older row')} only in the download" if older else ""
    caption = f"Costs of backups by month and type in USD, newest first{omitted}"
    return html_table(caption, _heads(heads), body)


def timeline_note(backups: pl.DataFrame) -> str:
    """Return what the timeline leaves out or shows hollow."""
    notes = []
    if older := max(len(backups) - MOST_BACKUPS, 0):
        notes.append(f"{count(older, 'older backup')} only in the download")
    if backups["removed_at"].is_not_null().any():
        notes.append("hollow: removed")
    return "; ".join(notes)


def unknown_costs(unpriced: int) -> str:
    """Return the mark of costs that lack some backups; empty when they lack none."""
    return mark(f"incomplete: {count(unpriced, 'backup')} of unknown cost") if unpriced else ""


def _drill_tile(row: dict[str, Any]) -> str:
    if row["last_drill_at"] is None:
        return tile("Last drill", "never", "no restore was tried")
    result = "passed" if row["last_drill_success"] else "failed"
    when = f"{ago(row['last_drill_age_seconds'])}<br>{instant(row['last_drill_at'])}"
    return tile("Last drill", result, when)


def _latest_tile(kind: str, backups: Backups) -> str:
    row = backups.full if kind == "full" else backups.incremental
    name = f"Latest {kind} backup"
    if row is None:
        return tile(name, "none", "none was made, or none is left")
    vaults = ", ".join(row["vaults"]) or "no vault"
    note = f"{instant(row['created_at'])}, {size(row['compressed_size_bytes'])}"
    return tile(
        name, since(backups.moment, row["created_at"]), f"{note}<br>verified in {escape(vaults)}"
    )


def _cost_tile(name: str, amount: Any, unpriced: int) -> str:  # noqa: ANN401 - Decimal or None
    return tile(name, cost(amount), "", "USD", unknown_costs(unpriced))


def _cost_cells(row: dict[str, Any]) -> list[str]:
    return [
        row["backup_type"],
        f"{row['backup_count']:,}",
        size(row["size_bytes"]),
        cost(row["cost_usd"]),
        NO_DATA if row["cost_sol"] is None else f"{row['cost_sol']:,.9f}",
        cost(row["running_cost_usd"]),
        f"{row['unpriced_backups']:,}" if row["unpriced_backups"] else "",
    ]


def _vault_name(vault: dict[str, Any]) -> str:
    name, kind = vault["vault"], vault["vault_kind"]
    return escape(name if kind is None or kind == name else f"{name} ({kind})")


def _heads(names: Sequence[str]) -> str:
    return "".join(f'<th scope="col">{name}</th>' for name in names)


def _listed(reasons: list[str]) -> str:
    if not reasons:
        return ""
    items = "".join(f"<li>{escape(_sentence(reason))}</li>" for reason in reasons)
    return f'<ul style="list-style: disc; padding-left: 1.25rem">{items}</ul>'


def _sentence(reason: str) -> str:
    return reason[:1].upper() + reason[1:] + "."
