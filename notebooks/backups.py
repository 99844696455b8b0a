# /// script
# [tool.marimo.display]
# theme = "system"
# ///

import marimo

__generated_with = "0.25.2"

app = marimo.App(width="medium", app_title="Backups", css_file="profit.css")

with app.setup:
    from functools import partial

    import marimo as mo

    from pnlbook.config import load_settings
    from pnlbook.reports import backup_charts, backup_page, backup_tables, page
    from pnlbook.reports.backups import read_backups
    from pnlbook.reports.query import attempt, find_source

    TIMELINE = "Backups by time and stored size"
    COSTS = "Cost of backups by month, USD"


@app.cell
def find_book():
    source, _problem = attempt(find_source)
    mo.stop(source is None, page.problem(_problem))
    backups, _problem = attempt(lambda: read_backups(source, load_settings().backup.minimum_copies))
    mo.stop(backups is None, page.problem(_problem))
    mo.Html(backup_tables.header("Backups", backups))
    return (backups,)


@app.cell
def begin(backups):
    if backups.backups.is_empty():
        mo.stop(predicate=True, output=backup_page.how_to_begin())
    made = backups
    backup_page.protection(made)
    return (made,)


@app.cell
def key_figures(made):
    mo.Html(backup_tables.key_figures(made))
    return


@app.cell
def charts(made):
    page.pair(
        page.section(
            TIMELINE,
            backup_charts.timeline_chart(made.backups),
            backup_tables.timeline_note(made.backups),
        ),
        page.section(
            COSTS,
            backup_charts.costs_chart(made.costs),
            backup_tables.unknown_costs(made.figures["unpriced_backups"]),
        ),
    )
    return


@app.cell
def vaults(made):
    page.section("Vaults", backup_tables.vaults_table(made))
    return


@app.cell
def list_backups(made):
    backups_table = backup_page.backups_table(made.backups)
    page.section("Backups and their copies", backups_table)
    return (backups_table,)


@app.cell
def backup_downloads(made):
    backup_files = [
        *backup_page.table_files("list", made.backups, made),
        *backup_page.table_files("vaults", made.vaults, made),
        backup_page.picture_file(
            "timeline", TIMELINE, partial(backup_charts.timeline_chart, made.backups), made
        ),
    ]
    page.files(backup_files)
    return (backup_files,)


@app.cell
def costs(made):
    page.section("Costs by month", backup_tables.costs_table(made.costs))
    return


@app.cell
def cost_downloads(made):
    cost_files = [
        *backup_page.table_files("costs", made.costs, made),
        backup_page.picture_file(
            "costs", COSTS, partial(backup_charts.costs_chart, made.costs), made
        ),
    ]
    page.files(cost_files)
    return (cost_files,)


@app.cell
def restores(made):
    if made.restores.is_empty():
        mo.stop(predicate=True, output=page.section("Restores and drills", "None yet."))
    restores_table = backup_page.restores_table(made.restores)
    page.section("Restores and drills", restores_table)
    return (restores_table,)


if __name__ == "__main__":
    app.run()
