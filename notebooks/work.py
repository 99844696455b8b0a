# /// script
# [tool.marimo.display]
# theme = "system"
# ///

import marimo

__generated_with = "0.25.2"

app = marimo.App(width="medium", app_title="Work", css_file="profit.css")

with app.setup:
    from dataclasses import replace
    from functools import partial

    import marimo as mo

    from pnlbook.reports import (
        charts,
        filters,
        page,
        work_charts,
        work_page,
        work_tables,
    )
    from pnlbook.reports.query import attempt, find_source
    from pnlbook.reports.work import read_opened, read_work, read_work_overview
    from pnlbook.reports.work_lanes import lanes

    TIMELINE = "Sessions by day"
    TOOLS = "Failure rates of tools, with their 95 % interval"
    COSTS = "Model costs, USD"
    EDITS = "Lines of edits applied"
    COMMITS = "Lines in commits"


@app.cell
def find_book():
    source, _problem = attempt(find_source)
    mo.stop(source is None, page.problem(_problem))
    overview, _problem = attempt(lambda: read_work_overview(source))
    mo.stop(overview is None, page.problem(_problem))
    page.header("Work", overview, "work")
    return overview, source


@app.cell
def controls(overview):
    if overview.first is None:
        mo.stop(predicate=True, output=work_page.how_to_load())
    _asked = filters.work_from_query(mo.query_params().to_dict())
    _asked = _asked.within(overview.recent, overview.last)
    period = mo.ui.date_range(value=(_asked.first, _asked.last), label="Period")
    node = page.choice("Node", "All nodes", overview.nodes, _asked.node)
    project = page.choice("Project", "All projects", overview.projects, _asked.project)
    idle = work_page.idle_choice(_asked.idle)
    mo.hstack([period, node, project, idle], justify="start", wrap=True, gap=1)
    return idle, node, period, project


@app.cell
def chosen_filters(idle, node, period, project):
    chosen = filters.WorkFilters(
        first=period.value[0],
        last=period.value[1],
        node=node.value,
        project=project.value,
        idle=idle.value,
    )
    return (chosen,)


@app.cell
def opened_at_first():
    asked = filters.work_from_query(mo.query_params().to_dict())
    get_opened, set_opened = mo.state(asked.opened)
    return asked, get_opened, set_opened


@app.cell
def remember(chosen, get_opened):
    filters.write_query(replace(chosen, opened=get_opened()), mo.query_params())
    return


@app.cell
def read_figures(chosen, overview, source):
    work, _problem = attempt(lambda: read_work(source, chosen, overview.first))
    mo.stop(work is None, page.problem(_problem))
    mo.stop(work.is_empty, page.nothing(chosen, of_what="rows of work"))
    return (work,)


@app.cell
def key_figures(work):
    mo.Html(work_tables.key_figures(work))
    return


@app.cell
def timeline(overview, work):
    drawn = lanes(work.timeline.intervals)
    work_page.timeline(
        TIMELINE, work.timeline, work_charts.timeline_chart(drawn), overview.timezone
    )
    return (drawn,)


@app.cell
def sessions(work):
    sessions_table = work_page.sessions_table(work.sessions)
    page.section("All sessions", sessions_table)
    return (sessions_table,)


@app.cell
def session_downloads(chosen, drawn, work):
    session_files = [
        *page.table_files("sessions", work.sessions, chosen),
        page.picture_file("timeline", TIMELINE, partial(work_charts.timeline_chart, drawn), chosen),
    ]
    page.files(session_files)
    return (session_files,)


@app.cell
def node_charts(set_opened, work):
    node_hours, node_earned = work_page.grain_charts(work.nodes, "node", set_opened)
    page.pair(
        page.section("Hours by node", node_hours),
        page.section("Per session hour by node, USD", node_earned),
    )
    return node_earned, node_hours


@app.cell
def nodes(asked, set_opened, work):
    node_table = work_page.grain_table(work.nodes, "node", asked.opened, set_opened)
    page.section("All nodes", node_table)
    return (node_table,)


@app.cell
def node_downloads(chosen, work):
    node_files = work_page.grain_files(work.nodes, "node", chosen)
    page.files(node_files)
    return (node_files,)


@app.cell
def project_charts(set_opened, work):
    project_hours, project_earned = work_page.grain_charts(work.projects, "project", set_opened)
    page.pair(
        page.section("Hours by project", project_hours),
        page.section("Per session hour by project, USD", project_earned),
    )
    return project_earned, project_hours


@app.cell
def projects(asked, set_opened, work):
    project_table = work_page.grain_table(work.projects, "project", asked.opened, set_opened)
    page.section("All projects", project_table)
    return (project_table,)


@app.cell
def project_downloads(chosen, work):
    project_files = work_page.grain_files(work.projects, "project", chosen)
    page.files(project_files)
    return (project_files,)


@app.cell
def read_sessions(chosen, get_opened, source):
    mo.stop(get_opened() is None)
    opened, _problem = attempt(lambda: read_opened(source, get_opened(), chosen))
    mo.stop(opened is None, page.problem(_problem) if _problem else None)
    mo.stop(opened.sessions.is_empty(), page.nothing(chosen, opened.label, "sessions"))
    return (opened,)


@app.cell
def opened_timeline(opened, overview):
    _chart = work_charts.timeline_chart(lanes(opened.timeline.intervals))
    work_page.timeline(f"Sessions of {opened.label}", opened.timeline, _chart, overview.timezone)
    return


@app.cell
def opened_sessions(opened):
    opened_table = work_page.sessions_table(opened.sessions)
    page.section(f"All sessions of {opened.label}", opened_table)
    return (opened_table,)


@app.cell
def opened_downloads(chosen, opened):
    opened_files = page.table_files("opened sessions", opened.sessions, chosen)
    page.files(opened_files)
    return (opened_files,)


@app.cell
def tools(work):
    tools_table = work_page.tools_table(work.tools)
    page.section(TOOLS, work_page.tools(work.tools, tools_table))
    return (tools_table,)


@app.cell
def tool_downloads(chosen, work):
    mo.stop(work.tools.is_empty())
    tool_files = [
        *page.table_files("tools", work.tools, chosen),
        page.picture_file("rates", TOOLS, partial(work_charts.tools_chart, work.tools), chosen),
    ]
    page.files(tool_files)
    return (tool_files,)


@app.cell
def resolution(work):
    page.section("Errors and their resolution", work_page.resolution(work.resolution))
    return


@app.cell
def patterns(work):
    patterns_table = work_page.patterns_table(work.patterns)
    page.section(
        "Errors that are alike", "None are known." if work.patterns.is_empty() else patterns_table
    )
    return (patterns_table,)


@app.cell
def error_downloads(chosen, work):
    mo.stop(work.patterns.is_empty())
    error_files = [
        *page.table_files("errors", work.patterns, chosen),
        *page.table_files("resolution", work.resolution, chosen),
    ]
    page.files(error_files)
    return (error_files,)


@app.cell
def models(work):
    bars = work_charts.model_bars(work.models)
    page.section(
        COSTS,
        work_page.models(work.models, charts.ranking_chart(bars, heads=("Model", COSTS))),
    )
    return (bars,)


@app.cell
def model_downloads(bars, chosen, work):
    mo.stop(work.models.is_empty())
    model_files = [
        *page.table_files("models", work.models, chosen),
        page.picture_file(
            "costs", COSTS, partial(charts.ranking_chart, bars, heads=("Model", COSTS)), chosen
        ),
    ]
    page.files(model_files)
    return (model_files,)


@app.cell
def activity(work):
    edits, commits = (
        work.activity.filter(work.activity["origin"] == origin) for origin in ("edit", "commit")
    )
    page.pair(
        page.section(EDITS, work_page.lines(edits, EDITS, per_hour=True)),
        page.section(COMMITS, work_page.lines(commits, COMMITS), work_page.SAME_LINES),
    )
    return commits, edits


@app.cell
def activity_downloads(chosen, commits, edits, work):
    mo.stop(work.activity.is_empty())
    activity_files = [
        *page.table_files("activity", work.activity, chosen),
        page.picture_file("edits", EDITS, partial(work_charts.lines_chart, edits), chosen),
        page.picture_file("commits", COMMITS, partial(work_charts.lines_chart, commits), chosen),
    ]
    page.files(activity_files)
    return (activity_files,)


if __name__ == "__main__":
    app.run()
