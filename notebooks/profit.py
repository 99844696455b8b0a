# /// script
# [tool.marimo.display]
# theme = "system"
# ///

import marimo

__generated_with = "0.25.2"

app = marimo.App(width="medium", app_title="Profit and loss", css_file="profit.css")

with app.setup:
    from dataclasses import replace
    from functools import partial

    import marimo as mo

    from pnlbook.reports import charts, filters, nodes, page, tables, work_page
    from pnlbook.reports.overview import read_overview
    from pnlbook.reports.points import CHART, WATERFALL
    from pnlbook.reports.profit import read_profit
    from pnlbook.reports.query import attempt, find_source
    from pnlbook.reports.statement import waterfall
    from pnlbook.reports.work import read_profit_hours

    RANKING = "Nodes by net profit, USD"


@app.cell
def find_book():
    source, _problem = attempt(find_source)
    mo.stop(source is None, page.problem(_problem))
    overview, _problem = attempt(lambda: read_overview(source))
    mo.stop(overview is None, page.problem(_problem))
    page.header("Profit and loss", overview)
    return overview, source


@app.cell
def controls(overview):
    if overview.first is None:
        mo.stop(predicate=True, output=page.how_to_load())
    _asked = filters.from_query(mo.query_params().to_dict()).within(overview.recent, overview.last)
    period = mo.ui.date_range(value=(_asked.first, _asked.last), label="Period")
    grain = mo.ui.dropdown(filters.GRAINS, _asked.grain, label="By")
    basis = mo.ui.dropdown(filters.BASES, _asked.basis, label="Basis")
    node = page.choice("Node", "All nodes", overview.nodes, _asked.node)
    project = page.choice("Project", "All projects", overview.projects, _asked.project)
    mo.hstack([period, grain, basis, node, project], justify="start", wrap=True, gap=1)
    return basis, grain, node, period, project


@app.cell
def chosen_filters(basis, grain, node, period, project):
    chosen = filters.Filters(
        first=period.value[0],
        last=period.value[1],
        node=node.value,
        project=project.value,
        basis=basis.value,
        grain=grain.value,
    )
    return (chosen,)


@app.cell
def ranking_controls():
    _asked = filters.from_query(mo.query_params().to_dict())
    rank = mo.ui.dropdown(filters.RANKS, _asked.rank, label="Net profit")
    get_opened, set_opened = mo.state(_asked.opened)
    return get_opened, rank, set_opened


@app.cell
def remember(chosen, get_opened, rank):
    filters.write_query(replace(chosen, rank=rank.value, opened=get_opened()), mo.query_params())
    return


@app.cell
def read_figures(chosen, overview, source):
    profit, _problem = attempt(lambda: read_profit(source, chosen, overview.first))
    mo.stop(profit is None, page.problem(_problem))
    mo.stop(not profit.statement.periods, page.nothing(chosen))
    return (profit,)


@app.cell
def key_figures(profit):
    mo.Html(tables.key_figures(profit))
    return


@app.cell
def overview_charts(profit):
    steps = waterfall(profit.statement)
    _note = tables.incomplete(profit.statement.unpriced_rows)
    page.pair(
        page.section(CHART, charts.statement_chart(profit.statement), _note),
        page.section(WATERFALL, charts.waterfall_chart(steps), _note),
    )
    return (steps,)


@app.cell
def statement(profit):
    page.section("Statement", tables.statement_table(profit.statement, profit.months))
    return


@app.cell
def statement_downloads(chosen, profit, steps):
    statement_files = [
        *page.table_files("statement", profit.lines, chosen),
        page.picture_file(
            "chart", CHART, partial(charts.statement_chart, profit.statement), chosen
        ),
        page.picture_file("waterfall", WATERFALL, partial(charts.waterfall_chart, steps), chosen),
    ]
    page.files(statement_files)
    return (statement_files,)


@app.cell
def read_hours(chosen, profit, source):
    mo.stop(profit.nodes.is_empty())
    hours, _problem = attempt(lambda: read_profit_hours(source, chosen))
    mo.stop(hours is None, page.problem(_problem))
    return (hours,)


@app.cell
def node_ranking(hours, profit, rank, set_opened):
    bars = nodes.best(profit.nodes, rank.value)
    node_chart = page.pickable(charts.ranking_chart(bars), set_opened)
    _asked = filters.from_query(mo.query_params().to_dict())
    node_table = page.node_table(
        nodes.with_hours(profit.nodes, hours),
        nodes.position(profit.nodes, _asked.opened),
        set_opened,
    )
    page.pair(
        page.section(RANKING, mo.vstack([rank, node_chart])),
        page.section("All nodes", node_table),
        "pnl-wide-right",
    )
    return bars, node_chart, node_table


@app.cell
def node_downloads(bars, chosen, profit):
    node_files = [
        *page.table_files("nodes", profit.nodes.drop("key", "label"), chosen),
        page.picture_file("ranking", RANKING, partial(charts.ranking_chart, bars), chosen),
    ]
    page.files(node_files)
    return (node_files,)


@app.cell
def profit_per_hour(hours):
    mo.stop(hours.is_empty())
    hours_table = work_page.hours_table(hours)
    page.section("Profit per hour of work, USD", hours_table)
    return (hours_table,)


@app.cell
def hour_downloads(chosen, hours):
    mo.stop(hours.is_empty())
    hour_files = page.table_files("hours", hours.drop("key", "label"), chosen)
    page.files(hour_files)
    return (hour_files,)


@app.cell
def read_opened(chosen, get_opened, source):
    mo.stop(get_opened() is None)
    opened, _problem = attempt(lambda: nodes.read_node(source, get_opened(), chosen))
    mo.stop(opened is None, page.problem(_problem))
    mo.stop(opened.rows.is_empty(), page.nothing(chosen, opened.label))
    return (opened,)


@app.cell
def opened_node(opened):
    _months = nodes.months_statement(opened.months)
    page.section(
        opened.label,
        page.pair(charts.statement_chart(_months), tables.months_table(opened.months)),
    )
    return


@app.cell
def source_rows(opened):
    source_table = page.source_table(opened.rows)
    page.section(f"Source rows of {opened.label}", source_table)
    return (source_table,)


@app.cell
def source_downloads(chosen, opened):
    source_files = [
        *page.table_files("months", opened.months.drop("key", "label"), chosen),
        *page.table_files("rows", opened.rows, chosen),
    ]
    page.files(source_files)
    return (source_files,)


if __name__ == "__main__":
    app.run()
