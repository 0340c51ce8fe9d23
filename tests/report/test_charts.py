"""Every chart: a valid specification, the encodings a page relies on, and an empty frame."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import altair as alt
import polars as pl
import pytest

from lo2core.report import charts, html

CELLS = pl.DataFrame(
    {
        "incident": ["get_client_404 · 17", "get_client_404 · 17"],
        "rank": [1, 1],
        "service": ["client", "user"],
        "seq_id": ["17__get_client_404__client", "17__get_client_404__user"],
        "z_score": [14.2, None],
        "top_item": ["CLIENT_NOT_FOUND", None],
    }
)
SCORES = pl.DataFrame(
    {
        "seq_id": ["a", "b"],
        "service": ["client", "key"],
        "label": [charts.NORMAL, charts.FAULTY],
        "z_score": [0.3, 9.0],
        "test_case": ["correct", "get_client_404"],
        "run": ["17", "17"],
    }
)
LEDGER = pl.DataFrame({"kind": list(charts.LEDGER), "lines": [70, 20, 5, 3, 2]})
BANDS = pl.DataFrame({"run": ["17"], "folder": ["correct"], "label": ["normal"], "start": [0.0], "end": [0.5]})
ERRORS = pl.DataFrame({"run": ["17"], "at": [0.2], "service": ["client"], "errors": [3]})
PAIRS = SCORES.rename({"z_score": "z_a"}).with_columns(z_b=pl.lit(4.0), change=pl.lit(charts.CHANGES[2]))
ITEMS = pl.DataFrame(
    {"item": ["x" * 300, "WARN delete"], "share": [0.7, 0.1], "here": [29, 31], "normal": ["0 0 0", "4"]}
)
CURVES = pl.DataFrame({"name": ["NearestNormal"], "false_alarm_rate": [0.1], "recall": [0.9], "precision": [0.8]})
RECALLS = pl.DataFrame({"test_case": ["get_client_404"], "service": ["client"], "recall": [0.8], "n": [5]})
POINTS = pl.DataFrame(
    {"measure": ["alerts"], "prediction": ["p"], "model": ["m"], "made": [datetime(2026, 11, 23)], "value": [0.2]}
).with_columns(address=pl.lit("Explain?prediction=p"))

MARKS = pl.DataFrame(
    {"title": ["WARN delete"], "seq_id": ["a"], "contribution": [0.4], "level": [1.0], "offset": [0.2]}
)
UNSEEN = pl.DataFrame({"service": ["client"], "seq_id": ["a"], "score": [1.2], "z_score": [0.4], "weight": [1.0]})
DENSITY = pl.DataFrame({"cell": [5], "left": [0.0], "right": [1.0], "bottom": [2.0], "top": [3.0], "n": [7]})
DIFFERENCES = RECALLS.with_columns(prediction=pl.lit("B"), difference=pl.lit(-0.2))
SIDES = pl.DataFrame(
    {"test_case": ["get_client_404"] * 2, "service": ["client"] * 2, "side": ["A", "B"], "z": [9.0, None], "n": [1, 2]}
)

COUNTS = pl.DataFrame(
    {"start": [datetime(2026, 1, 1)], "end": [datetime(2026, 1, 1, 1)], "level": ["ERROR"], "events": [9]}
)

CHARTS: dict[str, tuple[Callable[..., alt.TopLevelMixin], list[pl.DataFrame], list[Any]]] = {
    "incident_heatmap": (charts.incident_heatmap, [CELLS], [3.0]),
    "score_strip": (charts.score_strip, [SCORES], [3.0]),
    "ledger_bar": (charts.ledger_bar, [LEDGER], []),
    "timeline": (charts.timeline, [BANDS, ERRORS], []),
    "prediction_scatter": (charts.prediction_scatter, [PAIRS], [(3.0, 2.5)]),
    "item_bars": (charts.item_bars, [ITEMS], []),
    "service_bars": (charts.service_bars, [CELLS], [3.0]),
    "roc_curves": (charts.roc_curves, [CURVES], []),
    "precision_recall_curves": (charts.precision_recall_curves, [CURVES], []),
    "recall_matrix": (charts.recall_matrix, [RECALLS], []),
    "beeswarm": (charts.beeswarm, [MARKS], []),
    "calibration_strip": (charts.calibration_strip, [UNSEEN], [3.0]),
    "prediction_density": (charts.prediction_density, [DENSITY], [(3.0, 2.5), ("A", "B")]),
    "recall_differences": (charts.recall_differences, [DIFFERENCES], []),
    "paired_heatmap": (charts.paired_heatmap, [SIDES], []),
    "predictions_over_time": (charts.predictions_over_time, [POINTS], []),
    "events_over_time": (charts.events_over_time, [COUNTS], ["level"]),
}
PICKS = {
    "incident_heatmap": ["seq_id"],
    "score_strip": ["seq_id"],
    "prediction_scatter": ["seq_id"],
    "prediction_density": ["cell"],
    "recall_differences": ["test_case", "prediction"],
    "recall_matrix": ["test_case", "service"],
    "service_bars": ["seq_id"],
    "timeline": ["run", "folder", "service"],
    "beeswarm": ["seq_id"],
    "calibration_strip": ["service", "seq_id"],
    "paired_heatmap": ["test_case", "service", "side"],
}


def made(name: str, empty: bool = False) -> alt.TopLevelMixin:
    function, frames, rest = CHARTS[name]
    return function(*(frame.clear() if empty else frame for frame in frames), *rest)


@cache
def spec_of(name: str) -> dict[str, Any]:
    return made(name).to_dict(validate=True)


def layers(spec: dict[str, Any]) -> list[dict[str, Any]]:
    return [inner for layer in spec["layer"] for inner in layers(layer)] if "layer" in spec else [spec]


@pytest.mark.parametrize("name", CHARTS)
def test_every_chart_is_valid_named_and_leaves_font_and_background_to_the_page(name: str) -> None:
    spec = spec_of(name)
    assert spec["$schema"].endswith(".json") and made(name, empty=True).to_dict(validate=False)
    assert re.fullmatch(r"[A-Z][^{}]{20,}\.", spec["description"])
    assert not {"font", "labelFont", "background"} & {key for part in parts(spec) for key in part}
    assert spec["padding"]["right"] > 10  # half of an axis's last label is outside the plot


@pytest.mark.parametrize("name", CHARTS)
def test_colours_of_services_mean_services(name: str) -> None:
    for part in parts(spec_of(name)):
        if part.get("field") != "service" and not isinstance(part.get("range"), list):
            assert not {one for one in part.values() if isinstance(one, str)} & set(charts.PALETTE), part
        if part.get("field") != "service" and "scale" in part:
            assert not set((part["scale"] or {}).get("range", [])) & set(charts.PALETTE), part


def parts(spec: Any) -> Iterator[dict[str, Any]]:
    """All objects in a specification."""
    if isinstance(spec, dict):
        yield spec
    for one in spec.values() if isinstance(spec, dict) else spec if isinstance(spec, list) else ():
        yield from parts(one)


@pytest.mark.parametrize("name", PICKS)
def test_selections_are_called_pick_and_give_the_fields_promised(name: str) -> None:
    picks = [p for p in spec_of(name)["params"] if p["name"] == "pick"]
    assert [p["select"]["fields"] for p in picks] == [PICKS[name]]


def test_a_service_without_a_score_is_not_labelled_null() -> None:
    _, texts, *_ = layers(spec_of("service_bars"))
    assert texts["encoding"]["text"]["field"] == "text"
    assert "no score" in texts["transform"][0]["calculate"]


def test_heatmap_has_incidents_down_and_services_across_and_colours_by_z() -> None:
    squares, dots, unscored = layers(spec_of("incident_heatmap"))
    assert unscored["mark"]["text"] == charts.NO_SCORE
    assert unscored["transform"] == [{"filter": "!isValid(datum.z_score)"}]
    assert squares["encoding"]["y"]["field"] == "incident"
    assert squares["encoding"]["y"]["sort"] == {"field": "rank", "op": "min"}
    assert squares["encoding"]["x"]["field"] == "service"
    assert squares["encoding"]["color"]["field"] == "z_score"
    assert "3" in str(dots["encoding"]["size"]["condition"]["test"])


@pytest.mark.parametrize("name", ["score_strip", "service_bars", "calibration_strip"])
def test_threshold_is_a_rule_at_its_value(name: str) -> None:
    function, frames, _ = CHARTS[name]
    spec = function(*frames, 2.75).to_dict()
    rule, text = layers(spec)[-2:]
    assert (rule["mark"]["type"], text["mark"]["text"]) == ("rule", "threshold 2.75")
    assert spec["datasets"][spec["layer"][-1]["data"]["name"]] == [{"threshold": 2.75}]


def test_flips_differ_in_shape_not_in_colour_alone() -> None:
    points = layers(spec_of("prediction_scatter"))[0]
    assert points["encoding"]["shape"]["scale"]["domain"] == list(charts.CHANGES)
    assert len(set(points["encoding"]["shape"]["scale"]["range"])) == len(charts.CHANGES)


def test_a_brush_of_the_scatter_gives_the_ranges_of_both_scores() -> None:
    brush = next(p for p in spec_of("prediction_scatter")["params"] if p["name"] == "brush")
    assert brush["select"] == {"encodings": ["x", "y"], "type": "interval"}


def test_the_services_of_errors_stand_in_as_many_columns_as_the_chart_is_wide_for() -> None:
    _, ticks = layers(spec_of("timeline"))
    legend = ticks["encoding"]["color"]["legend"]
    assert legend["orient"] == "bottom"
    columns = legend["columns"]["expr"]
    assert "width" in columns and "containerSize()[0] < 500" in columns  # on a phone the plot's width is known too late


def test_logs_side_by_side_share_a_column_a_left_b_right() -> None:
    offset = spec_of("paired_heatmap")["encoding"]["xOffset"]
    assert (offset["field"], offset["sort"]) == ("side", ["A", "B"])


def test_marks_over_time_lead_to_their_prediction_and_lines_nowhere() -> None:
    lines, marks = spec_of("predictions_over_time")["spec"]["layer"]
    assert marks["encoding"]["href"]["field"] == "address"
    assert "href" not in lines["encoding"]


def test_services_keep_their_colour_whatever_stands_beside_them() -> None:
    assert charts.service_colours(["user", "client"])["user"] == charts.service_colours(["user"])["user"]
    assert charts.service_colours(["namenode"])["namenode"] in charts.PALETTE


def test_known_services_differ_in_colour() -> None:
    colours = charts.service_colours(["client", "code", "key", "refresh-token", "service", "token", "user"])
    assert len(set(colours.values())) == 7


def tooltips(chart: alt.TopLevelMixin) -> dict[str, str | None]:
    """Field and format of the first layer's tooltips."""
    spec = chart.to_dict()
    encoding = spec.get("encoding") or spec["layer"][0]["encoding"]
    return {one["field"]: one.get("format") for one in encoding["tooltip"]}


def test_tooltips_round_measures_and_leave_names_alone() -> None:
    assert tooltips(charts.service_bars(CELLS, 3.0)) == {"service": None, "z_score": ",.2f"}
    assert tooltips(charts.recall_matrix(RECALLS))["recall"] == ".0%"


@pytest.mark.parametrize(
    ("apart", "ticks"), [({"seconds": 40}, "%H:%M:%S"), ({"hours": 3}, "%H:%M"), ({"days": 2}, "%-d %b %H:%M")]
)
def test_ticks_tell_predictions_of_one_day_apart(apart: dict[str, int], ticks: str) -> None:
    later = POINTS.with_columns(pl.col("made").dt.offset_by(f"{timedelta(**apart) // timedelta(seconds=1)}s"))
    spec = charts.predictions_over_time(pl.concat([POINTS, later])).to_dict()
    assert spec["spec"]["layer"][0]["encoding"]["x"]["axis"]["format"] == ticks


def test_predictions_that_do_not_say_when_they_were_made_are_drawn() -> None:
    undated = POINTS.with_columns(made=pl.lit(None, dtype=pl.Datetime("us")))
    charts.predictions_over_time(pl.concat([POINTS, undated])).to_dict()


def test_recall_that_does_not_differ_is_coloured_by_its_size() -> None:
    squares = charts.recall_differences(DIFFERENCES).to_dict()["layer"][0]
    assert "2 + datum.recall" in squares["transform"][0]["calculate"]
    assert squares["encoding"]["color"]["field"] == "shade"


def test_z_has_the_same_colours_for_every_threshold_and_on_every_chart() -> None:
    specs = spec_of("paired_heatmap"), *(charts.incident_heatmap(CELLS, z).to_dict() for z in (1.0, 9.0))
    ramps = [
        [one["scale"] for one in parts(spec) if one.get("field") in ("z", "z_score") and "legend" in one]
        for spec in specs
    ]
    assert ramps[0] == ramps[1] == ramps[2] and ramps[0][0]["domain"] == [0, 100]


@pytest.mark.parametrize(("worst", "expected"), [(1168.0, {"1", "2", "10", "1,000"}), (9.0, {"1", "2", "3", "5"})])
def test_the_z_axis_names_its_scale_and_the_threshold(worst: float, expected: set[str]) -> None:
    scores = SCORES.with_columns(z_score=pl.Series([0.3, worst]))
    drawn = str(html.svg(charts.score_strip(scores, 2.3)))
    labels = set(re.findall(r">([^<>]+)</(?:text|tspan)>", drawn))
    assert expected | {"(symmetric log scale)", "threshold 2.30"} <= labels and "0k" not in labels
    assert set(re.findall(r'<text[^>]* fill="([^"]+)"', drawn)) == {"currentColor"}
