"""The report of an incident: one HTML file that works offline."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl
from markupsafe import Markup

from lo2core.base.clock import time_of_day
from lo2core.explain.explanation import Explanation
from lo2core.messages.secrets import masked
from lo2core.report import charts, html
from lo2core.report.html import Passage, Table

TOP = 5
MOST_ROWS = 200

_SERVICES = {
    "service": "service",
    "score": "score",
    "z_score": "z-score",
    "pred_ano": "flagged",
    "words": "compared with normals",
}
_ITEMS = {
    "title": "item",
    "here": "here",
    "normals": "in the nearest normals",
    "held_by": "normals that contain it",
}
_LINES = {"line_no": "line", "m_timestamp": "time", "text": "text"}
_REQUESTS = {"service": "service", "n": "count", "title": "request", "example": "example (correlation id)"}
_DIFF = {
    "change": "",
    "here_line": "line",
    "here_text": "here",
    "normal_line": "line",
    "normal_text": "nearest normal",
}


@dataclass(frozen=True)
class Lines:
    """Log lines of a service, the stack traces below them, and a sentence that names their file."""

    table: Table
    traces: list[Passage]
    source: str


@dataclass(frozen=True)
class Diff:
    """The diff of a sequence and its nearest normal; `cut` says how many rows are shown, if not all."""

    table: Table
    cut: str


@dataclass(frozen=True)
class ExplainedService:
    """The items and lines behind the score of one service; `chart` is None for event models, `lines` without events."""

    service: str
    chart: Markup | None
    items: Table
    nearest: list[str]
    lines: Lines | None


@dataclass(frozen=True)
class IncidentReport:
    """The data of an incident's page; parts that are None are left out."""

    title: str
    note: str
    chart: Markup
    services: Table
    first_odd: Passage | None
    explained: list[ExplainedService]
    requests: Table | None
    request_texts: list[Passage]
    diff: Diff | None
    methods: list[str]


def incident_report(explanation: Explanation, diff_rows: pl.DataFrame | None = None, secrets: bool = False) -> str:
    """An incident as an HTML page; `diff_rows` is `diff.unfolded` of its worst service and the nearest normal.

    secrets: do not mask them in log lines.
    """
    return html.render("incident", summarised(explanation, diff_rows), secrets)


def summarised(explanation: Explanation, diff_rows: pl.DataFrame | None = None) -> IncidentReport:
    """The data of `incident_report`."""
    threshold = float(explanation.services["threshold"][0])
    scored = explanation.services.drop_nulls("z_score").select("seq_id", "service", "z_score")
    requests = explanation.requests
    return IncidentReport(
        title=f"{explanation.test_case}: {explanation.incident}",
        note=explanation.remark,
        chart=html.svg(charts.service_bars(scored, threshold)),
        services=html.table(explanation.services, _SERVICES),
        first_odd=_first_odd(explanation.first_odd),
        explained=[_explained(explanation, one) for one in explanation.items["seq_id"].unique(maintain_order=True)],
        requests=html.table(requests.head(MOST_ROWS), _REQUESTS, ["title", "example"]) if requests.height else None,
        request_texts=[Passage(*row) for row in requests.head(TOP).select("title", "item").iter_rows()],
        diff=_diff(diff_rows) if diff_rows is not None and diff_rows.height else None,
        methods=list(dict.fromkeys(explanation.methods.values())),
    )


def _first_odd(events: pl.DataFrame) -> Passage | None:
    for row in events.head(1).iter_rows(named=True):
        caption = (
            f"First anomalous event: {time_of_day(row['m_timestamp'])} in {row['service']}, line {row['line_no']:,}:"
        )
        return Passage(caption, row["text"])
    return None


def _explained(explanation: Explanation, seq_id: str) -> ExplainedService:
    items, lines, nearest = (
        frame.filter(pl.col("seq_id") == seq_id)
        for frame in (explanation.items, explanation.lines, explanation.nearest_normals)
    )
    return ExplainedService(
        service=items["service"][0],
        chart=html.svg(charts.item_bars(_bars(items.head(TOP))), width=420) if explanation.measure.adds_up else None,
        items=items_table(explanation, items.head(2 * TOP)),
        nearest=nearest["normal"].to_list(),
        lines=_lines(lines.sort("line_no")) if lines.height else None,
    )


def items_table(explanation: Explanation, items: pl.DataFrame, **first: str) -> Table:
    """Items of the explanation; for event models with the z-score of each message instead of its share.

    first: names and titles of columns to put first.
    """
    shown = items.with_columns(
        share=pl.format("{} %", (100 * pl.col("share")).round(1)), held_by=pl.format("{} of {}", "held_by", "n_normals")
    )
    measure = explanation.measure
    titles = first | _ITEMS | {measure.column: measure.name}
    return html.table(shown, titles, ["title"])


def lines_table(lines: pl.DataFrame, marked: bool = False, **first: str) -> Table:
    """Log lines with the time of day. marked: highlight the lines that show an item. first: as in `items_table`."""
    shown = lines.with_columns(pl.col("m_timestamp").dt.strftime("%H:%M:%S%.3f"), shows=pl.col("place").is_not_null())
    return html.table(shown, first | _LINES, ["text"], "shows" if marked else None)


def _bars(items: pl.DataFrame) -> pl.DataFrame:
    counts = pl.col("normals").list.eval(pl.element().cast(pl.Int64).cast(pl.String)).list.join(" ")
    title = masked(items["title"]).str.slice(0, 80)  # in a chart always, since it shows only the beginning
    return items.select("share", "here", item=pl.format("{}. {}", "rank", title), normal=counts)


def _lines(lines: pl.DataFrame) -> Lines:
    telling = lines.drop_nulls(["place", "trace"]).select("event_line", "trace")
    day = lines["m_timestamp"].drop_nulls().head(1).dt.strftime(", %-d %b %Y").to_list()
    return Lines(
        lines_table(lines, marked=True),
        [Passage(f"Stack trace below line {line}", trace) for line, trace in telling.iter_rows()],
        f"From {lines['source'][0]}{''.join(day)}. The highlighted lines contain the items.",
    )


def _diff(rows: pl.DataFrame) -> Diff:
    shown = rows.head(2 * MOST_ROWS).with_columns(
        differs=pl.col("change").is_in(["extra", "missing"]),
        here_text=pl.when(pl.col("change") == "folded")
        .then(pl.format("... {} identical events ...", "n"))
        .otherwise("here_text"),
    )
    cut = f"The first {shown.height:,} of {rows.height:,} rows." if shown.height < rows.height else ""
    return Diff(html.table(shown, _DIFF, ["here_text", "normal_text"], "differs"), cut)
