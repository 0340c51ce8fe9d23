"""HTML reports: what they show, that they load nothing, and that no log text becomes markup or template code."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from datetime import datetime
from html.parser import HTMLParser

import polars as pl
import pytest
from helpers import explained
from markupsafe import escape

from conftest import ROOT
from lo2core.base.schemas import ComparedGroups
from lo2core.base.text import visible
from lo2core.compare.comparison import Comparison
from lo2core.compare.prediction import SavedPrediction
from lo2core.detect.incidents import Incident
from lo2core.detect.instances import CountSource
from lo2core.detect.recipe import Recipe
from lo2core.detect.train import train
from lo2core.explain.evidence import Evidence
from lo2core.explain.explanation import Explanation, explain_incident, unfolded_diff
from lo2core.report import html, incident
from lo2core.report.comparison import comparison_report
from lo2core.report.html import Cell, Row
from lo2core.report.prediction import prediction_report

HOSTILE = (
    "<script>alert(1)</script> {{ 7*7 }} {% raw %} {# gone #} & \"double\" 'single' </pre></style>"
    "\x1b[31mred\x1b[0m \x00 \x08 \x0b \r \x7f \x85 \u2028 \u202e \u2066 \ufdd0 \uffff \U0010ffff"
)
SHOWN = visible(HOSTILE)


class Page(HTMLParser):
    """The tags, attributes and text of a page; a parser raises nothing, it only reads."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.text = ""
        self.policy: str | None = None
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href", "action", "data")]
        if ("http-equiv", "Content-Security-Policy") in attrs:
            self.policy = dict(attrs)["content"]

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def hostile() -> tuple[Evidence, Explanation]:
    """A faulty incident whose messages, services and folders are all `HOSTILE`."""
    calm = [explained.OK] * 4
    normals = [explained.sequence(f"run_{n % 3}", f"correct_{n}", calm, HOSTILE) for n in range(6)]
    attack = (("DEBUG", "path = /client/none"), ("ERROR", f"{HOSTILE}\n\tat {HOSTILE}\nCaused by: {HOSTILE}"))
    fault = explained.sequence("run_2", HOSTILE, [*calm, attack], HOSTILE)
    loaded = explained.logs(pl.concat([*normals, fault]))
    source = CountSource(loaded.items, loaded.sequences)
    found = Evidence(*train(source, Recipe("NearestNormal", "messages", "sequence")), loaded, loaded)
    one = explain_incident(found, explained.predictions(found), Incident("run_2", HOSTILE), HOSTILE)
    return found, one


@pytest.fixture(scope="module", params=["incident", "prediction", "comparison"])
def page(request: pytest.FixtureRequest, hostile: tuple[Evidence, Explanation]) -> Page:
    found, one = hostile
    predictions = explained.predictions(found)
    match request.param:
        case "incident":
            source = incident.incident_report(one, unfolded_diff(found, one))
        case "prediction":
            source = prediction_report(HOSTILE, predictions, [one], {"command": HOSTILE})
        case _:
            flipped = predictions.with_columns(~pl.col("pred_ano"))
            sides = (SavedPrediction(HOSTILE, predictions, {"command": HOSTILE}), SavedPrediction("b", flipped))
            shared = {"change": "new", "service": HOSTILE, "title": HOSTILE, "group_b": 1, "incidents_b": 2}
            causes = pl.DataFrame([shared | {"incidents_a": 0}], schema=ComparedGroups.create_empty().schema)
            source = comparison_report(Comparison(sides), causes=causes)
            assert "Flagged incidents by cause" in source
    return Page(source)


def test_text_of_logs_is_shown_verbatim_and_never_run(page: Page) -> None:
    assert "script" not in page.tags
    assert page.text.count(SHOWN) >= 4
    assert visible(page.text) == page.text


def test_a_report_loads_nothing_and_draws_its_charts_inline(page: Page) -> None:
    assert "svg" in page.tags
    assert page.policy == "default-src 'none'; style-src 'unsafe-inline'"
    assert page.tags.isdisjoint({"script", "link", "iframe", "img", "object", "embed", "form"})
    assert page.links == []


def test_an_incident_shows_its_trace_and_requests_whole(hostile: tuple[Evidence, Explanation]) -> None:
    _, one = hostile
    shown = incident.summarised(one)
    assert shown.first_odd is not None and shown.first_odd.text.endswith("path = /client/none")
    lines = shown.explained[0].lines
    assert lines is not None
    assert [trace.caption for trace in lines.traces] == ["Stack trace below line 10"]
    assert lines.traces[0].text.count(HOSTILE) == 2
    assert any(row.marked for row in lines.table.rows)
    assert shown.diff is None


def test_without_events_the_report_says_why_there_are_no_lines(hostile: tuple[Evidence, Explanation]) -> None:
    _, one = hostile
    bare = replace(one, lines=one.lines.clear(), first_odd=one.first_odd.clear())
    assert "the events were not saved" in incident.incident_report(bare)


def test_a_report_says_what_cannot_be_shown(hostile: tuple[Evidence, Explanation]) -> None:
    _, one = hostile
    assert f"<p>{escape(SHOWN)}</p>" in incident.incident_report(replace(one, remark=HOSTILE))


def test_titles_of_numbers_are_aligned_with_them() -> None:
    titles = html.table(pl.DataFrame({"a": [1.5], "b": ["x"]}), {"a": "A", "b": "B"}).titles
    assert titles == [Cell("A", "number"), Cell("B")]


def test_templates_are_installed_with_the_package() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    patterns = settings["tool"]["setuptools"]["package-data"]["lo2core"]
    installed = {path for pattern in patterns for path in (ROOT / "lo2core").glob(pattern)}
    files = {path for path in (ROOT / "lo2core").rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc")}
    assert installed == files


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (None, Cell("")),
        (True, Cell("yes")),
        (1200, Cell("1,200", "number")),
        (3.0, Cell("3", "number")),
        (0.12345, Cell("0.123", "number")),
        (12345.6, Cell("12,346", "number")),
        ([1.0, 2.0], Cell("1, 2")),
        (["a", "b"], Cell("a, b")),
        (datetime(2026, 1, 2, 3, 4, 5, 678_000), Cell("2026-01-02 03:04:05.678")),
    ],
)
def test_values_are_written_for_people(value: object, cell: Cell) -> None:
    assert html.table(pl.DataFrame({"a": [value]}), {"a": "A"}).rows == [Row([cell])]


def test_a_table_has_the_titled_columns_and_marks_rows() -> None:
    frame = pl.DataFrame({"text": ["x", "y"], "left_out": [1, 2], "shows": [False, True]})
    table = html.table(frame, {"text": "Text"}, ["text"], "shows")
    assert table.titles == [Cell("Text")]
    assert table.rows == [Row([Cell("x", "text")]), Row([Cell("y", "text")], marked=True)]


def test_a_table_on_its_own_is_escaped() -> None:
    source = html.table_html(pl.DataFrame({"a": [HOSTILE]}), {"a": HOSTILE})
    assert "<script>" not in source and Page(source).text.count(SHOWN) == 2
