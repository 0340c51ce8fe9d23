"""Reports: an incident or a prediction as one HTML file that opens without network."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from lo2core.base.text import are, clock, local_time
from lo2core.detect.incidents import INCIDENT, by_incident, sequence_scores
from lo2core.explain.explanation import Explanation
from lo2core.report import charts, html

TOP = 5
MOST_INCIDENTS = 60
MOST_ROWS = 200

_SERVICES = {
    "service": "service",
    "score": "score",
    "z_score": "z-score",
    "pred_ano": "flagged",
    "words": "set against normals",
}
_ITEMS = {
    "title": "item",
    "here": "here",
    "normals": "in the nearest normals",
    "held_by": "normals that hold it",
    "share": "share of the score",
}
_LINES = {"line_no": "line", "m_timestamp": "time", "text": "text"}


def incident_report(explanation: Explanation, diff_rows: pl.DataFrame | None = None) -> str:
    """An incident as a page; `diff_rows` is `diff.unfolded` of its worst service and the nearest normal."""
    title = f"{explanation.test_case}: {explanation.incident}"
    parts = [_overview(explanation)]
    for seq_id in explanation.items["seq_id"].unique(maintain_order=True):
        parts.append(_why(explanation, seq_id))
    parts += [_requests(explanation.requests), _diff(diff_rows), _method(explanation)]
    return html.page(title, [part for part in parts if part])


def prediction_report(
    name: str, predictions: pl.DataFrame, explanations: Sequence[Explanation], made: dict[str, object]
) -> str:
    """A whole prediction as a page: its incidents worst first, and what the explained ones are.

    predictions: of sequences, or of events, of which the worst of each sequence stands for it.
    """
    predictions = sequence_scores(predictions)
    ranked = _ranked_incidents(predictions, explanations)
    flagged = int(ranked["pred_ano"].sum())
    listed, told = min(ranked.height, MOST_INCIDENTS), len(explanations)
    summary = html.paragraph(
        f"{are(ranked.height, 'incident')} scored, {flagged:,} of them flagged. The worst {listed:,} are listed here; "
        f"below, {told:,} of them {'is' if told == 1 else 'are'} explained."
    )
    titles = {"run": "run", "folder": "test case", "window": "window", "service": "worst service", "z_score": "z-score"}
    table = html.table(
        ranked.head(MOST_INCIDENTS), titles | {"pred_ano": "flagged", "top_item": "what it is"}, ["top_item"]
    )
    parts = [html.section("Incidents, worst first", summary, _heatmap(predictions, ranked), table)]
    parts += [html.section(f"{e.test_case}: {e.incident}", *_short(e)) for e in explanations]
    making = made | ({"created": local_time(str(made["created"]))} if "created" in made else {})
    facts = pl.DataFrame({"fact": list(making), "value": [str(value) for value in making.values()]})
    parts.append(html.section("How it was made", html.table(facts, {"fact": "fact", "value": "value"}, ["value"])))
    return html.page(f"Prediction {name}", parts)


def _overview(explanation: Explanation) -> str:
    threshold = float(explanation.services["threshold"][0])
    scored = explanation.services.drop_nulls("z_score").select("seq_id", "service", "z_score")
    odd = explanation.first_odd.head(1)
    first = ""
    if odd.height:
        row = odd.row(0, named=True)
        first = html.paragraph(
            f"First odd event: {clock(row['m_timestamp'])} in {row['service']}, line {row['line_no']:,}:"
        )
        first += html.preformatted(row["text"])
    table = html.table(explanation.services, _SERVICES)
    return html.section("Services", html.chart(charts.service_bars(scored, threshold)), table, first)


def _why(explanation: Explanation, seq_id: str) -> str:
    """Items and lines of one sequence."""
    items = explanation.items.filter(pl.col("seq_id") == seq_id).head(2 * TOP)
    service = items["service"][0]
    lines = explanation.lines.filter(pl.col("seq_id") == seq_id).sort("line_no")
    nearest = explanation.nearest_normals.filter(pl.col("seq_id") == seq_id)
    return html.section(
        f"Why {service}",
        "" if explanation.by_message else html.chart(charts.item_bars(_bars(items.head(TOP))), width=420),
        html.table(_in_percent(items), _item_titles(explanation), ["title"]),
        html.paragraph("Nearest normals: " + ", ".join(nearest["normal"]), soft=True) if nearest.height else "",
        _lines(lines),
    )


def _item_titles(explanation: Explanation) -> dict[str, str]:
    """The columns of items; where single events are scored, how odd each message is stands for its share."""
    if not explanation.by_message:
        return _ITEMS
    return {name: title for name, title in _ITEMS.items() if name != "share"} | {"contribution": "oddness (z)"}


def _in_percent(items: pl.DataFrame) -> pl.DataFrame:
    of = pl.format("{} of {}", "held_by", "n_normals")
    return items.with_columns(share=pl.format("{} %", (100 * pl.col("share")).round(1)), held_by=of)


def _bars(items: pl.DataFrame) -> pl.DataFrame:
    counts = pl.col("normals").list.eval(pl.element().cast(pl.Int64).cast(pl.String)).list.join(" ")
    return items.select(
        "share", "here", item=pl.format("{}. {}", "rank", pl.col("title").str.slice(0, 80)), normal=counts
    )


def _lines(lines: pl.DataFrame) -> str:
    if not lines.height:
        return html.paragraph("No lines to show: the events were not saved.", soft=True)
    shown = _with_clock(lines).with_columns(shows=pl.col("place").is_not_null())
    traces = [
        html.folded(f"Stack trace below line {row['event_line']}", html.preformatted(row["trace"]))
        for row in shown.filter("shows").drop_nulls("trace").iter_rows(named=True)
    ]
    day = lines["m_timestamp"].drop_nulls().head(1).dt.strftime(" of %-d %b %Y").to_list()
    source = html.paragraph(f"From {lines['source'][0]}{''.join(day)}; the marked lines hold the items.", soft=True)
    return html.table(shown, _LINES, ["text"], marked="shows") + "".join(traces) + source


def _with_clock(lines: pl.DataFrame) -> pl.DataFrame:
    return lines.with_columns(pl.col("m_timestamp").dt.strftime("%H:%M:%S%.3f"))


def _requests(requests: pl.DataFrame) -> str:
    if not requests.height:
        return ""
    titles = {"service": "service", "n": "how many", "title": "request", "example": "example (correlation id)"}
    table = html.table(requests.head(MOST_ROWS), titles, ["title", "example"])
    whole = [
        html.folded(row["title"], html.preformatted(row["item"])) for row in requests.head(TOP).iter_rows(named=True)
    ]
    return html.section("Requests of a kind that no normal has", table, *whole)


def _diff(rows: pl.DataFrame | None) -> str:
    if rows is None or not rows.height:
        return ""
    titles = {
        "change": "",
        "here_line": "line here",
        "here_text": "here",
        "normal_line": "line",
        "normal_text": "nearest normal",
    }
    shown = rows.head(2 * MOST_ROWS).with_columns(
        differs=pl.col("change").is_in(["extra", "missing"]),
        here_text=pl.when(pl.col("change") == "folded")
        .then(pl.format("... {} events alike ...", "n"))
        .otherwise("here_text"),
    )
    cut = (
        html.paragraph(f"The first {shown.height:,} of {rows.height:,} rows.", soft=True)
        if shown.height < rows.height
        else ""
    )
    return html.section(
        "Beside the nearest normal",
        html.folded("Show", html.table(shown, titles, ["here_text", "normal_text"], "differs")),
        cut,
    )


def _method(explanation: Explanation) -> str:
    sentences = dict.fromkeys(explanation.methods.values())
    return html.section("How the score was split", *(html.paragraph(sentence, soft=True) for sentence in sentences))


def _ranked_incidents(predictions: pl.DataFrame, explanations: Sequence[Explanation]) -> pl.DataFrame:
    """`predict.incidents` with top_item of those that are explained."""
    tops = pl.DataFrame(
        [
            (e.incident.run, e.incident.folder, e.incident.window, e.items["title"][0] if e.items.height else None)
            for e in explanations
        ],
        schema={"run": pl.String, "folder": pl.String, "window": pl.Int32, "top_item": pl.String},
        orient="row",
    )
    return by_incident(predictions).join(tops, on=INCIDENT, how="left", nulls_equal=True, maintain_order="left")


def _heatmap(predictions: pl.DataFrame, ranked: pl.DataFrame) -> str:
    shown = ranked.head(MOST_INCIDENTS).with_row_index("rank", 1).select(*INCIDENT, "rank", "top_item")
    cells = predictions.drop("rank", strict=False).join(shown, on=INCIDENT, nulls_equal=True)
    label = pl.concat_str(
        [pl.col("folder"), pl.col("run"), pl.col("window").cast(pl.String)], separator=" / ", ignore_nulls=True
    )
    cells = cells.select("service", "seq_id", "z_score", "top_item", "rank", incident=label)
    return (
        html.chart(charts.incident_heatmap(cells, float(predictions["threshold"][0])), width=420)
        if cells.height
        else ""
    )


def _short(explanation: Explanation) -> list[str]:
    """Items and the first lines of an incident, for a page of many."""
    lines = explanation.lines.filter(pl.col("place") <= 3).sort("place")
    return [
        html.table(
            _in_percent(explanation.items.head(TOP)), {"service": "service"} | _item_titles(explanation), ["title"]
        ),
        html.table(_with_clock(lines), {"service": "service"} | _LINES, ["text"]) if lines.height else "",
    ]
