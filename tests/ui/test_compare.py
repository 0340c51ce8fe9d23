"""Page Compare, run by Streamlit without a browser: two models on the same logs, one model on other logs, links."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import polars as pl
import pytest
from helpers.pageverbs import commands, dashboard_in, has_button, page, press, texts
from helpers.scored import score_sample
from streamlit.testing.v1 import AppTest

from lo2core.base.schemas import Predictions
from lo2core.cli import commands as cli_commands
from lo2core.compare import histogram
from lo2core.pipeline import compare
from lo2core.store.workspace import Workspace
from lo2core.ui.compare import same_logs
from lo2core.ui.shell import address

COMPARE = "pages/6_Compare.py"


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory, loaded_sample: Path, sample_logs: Path) -> Path:
    return score_sample(loaded_sample, sample_logs, tmp_path_factory.mktemp("compare"))


@pytest.fixture
def workspace(scored: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    return dashboard_in(scored, monkeypatch)


def tab(app: AppTest, label: str) -> AppTest:
    app.session_state[address.COMPARED] = label
    return app.run()


def columns(app: AppTest) -> set[str]:
    return {name for table in app.dataframe for name in table.value.columns}


def provenance(app: AppTest) -> str:
    """The provenance table, as HTML."""
    return next(element.proto.body for element in app.get("html") if "<table>" in element.proto.body)


def table_row(table: str, fact: str) -> list[str]:
    """What an HTML table says of a fact; of the empty one its heads."""
    rows = (re.findall("<t[hd]>(.*?)</t[hd]>", row) for row in table.split("</tr>"))
    return next((cells[1:] for cells in rows if cells and cells[0] == fact), [])


def metrics(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def test_one_prediction_alone_says_what_is_missing(
    scored: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = dashboard_in(tmp_path, monkeypatch)
    workspace.root.mkdir()
    assert "there is none yet" in texts(page(COMPARE))
    shutil.copy(scored / "ws" / "nn.parquet", workspace.root)
    app = page(COMPARE)
    assert "nn is the only one" in texts(app)
    assert has_button(app, "Score logs")
    assert "python -m lo2core compare A B" in texts(app)


def test_two_models_on_the_same_logs(workspace: Workspace) -> None:
    app = page(COMPARE, a="forest", b="nn")
    assert not app.exception
    assert "the model changed: all differences come from the model" in texts(app)
    flips = compare.compare_predictions(workspace, ["forest", "nn"]).flips
    assert flips is not None
    assert metrics(app)["Flips"] == str(flips.height)
    assert {"Flips", "Rank correlation", "Cohen's kappa"} <= metrics(app).keys()


@pytest.mark.parametrize(
    ("label", "column"),
    [
        ("Flips", "change"),
        ("Biggest movers", "moved"),
        ("Metrics", "metric"),
        ("Recall by fault", "recall"),
        ("Over time", "median z"),
    ],
)
def test_every_view_of_the_same_sequences_has_its_table(workspace: Workspace, label: str, column: str) -> None:
    app = tab(page(COMPARE, a="forest", b="nn"), label)
    assert not app.exception
    assert column in columns(app)


def test_yesterday_and_today_are_compared_by_test_case(workspace: Workspace) -> None:
    app = page(COMPARE, a="nn", b="today/nn")
    assert not app.exception
    assert "The model is the same, the logs changed" in texts(app)
    assert {"PSI of scores", "PSI of messages"} <= metrics(app).keys()
    assert "lo2core compare nn today/nn" in texts(app)


@pytest.mark.parametrize(
    ("label", "column"), [("Test cases", "n_b"), ("New and gone incidents", "change"), ("Shift", "scores")]
)
def test_every_view_of_other_logs_has_its_table(workspace: Workspace, label: str, column: str) -> None:
    app = tab(page(COMPARE, a="today/nn", b="nn"), label)
    assert not app.exception
    assert column in columns(app)


def test_items_of_other_logs_are_listed_by_kind(workspace: Workspace) -> None:
    app = tab(page(COMPARE, a="today/nn", b="nn"), "New and vanished items")
    assert not app.exception
    assert "of kind message only in B" in texts(app)


def test_what_increased_between_two_logs_is_listed_by_service_with_its_lines(workspace: Workspace) -> None:
    app = tab(page(COMPARE, a="today/nn", b="nn"), "What increased")
    assert not app.exception
    assert "Compared with A (today/nn):" in texts(app)
    rows = next(table.value for table in app.dataframe if "usual_rate" in table.value.columns)
    app.session_state[f"increase-today/nn-nn-all services-{len(rows)}"] = {"selection": {"rows": [0], "columns": []}}
    app = app.run()
    assert {"line_no", "text"} <= columns(app)
    app = app.selectbox(key="increase-service").set_value("client").run()
    assert "No message is new, has vanished or changed its rate compared with A (today/nn)." in texts(app)


def test_causes_of_both_sides_are_paired_and_open(workspace: Workspace) -> None:
    app = tab(page(COMPARE, a="today/nn", b="nn"), "Causes")
    assert not app.exception
    assert "in both." in texts(app)
    app.session_state["causes-today/nn-nn"] = {"selection": {"rows": [0], "columns": []}}
    app = app.run()
    app = next(button for button in app.button if button.label == "Explain in B").click().run()
    assert app.title[0].value == "Explain"


def test_a_click_on_a_test_case_leads_to_its_worst_sequence(workspace: Workspace) -> None:
    app = page(COMPARE, a="today/nn", b="nn")
    where = {"test_case": "get_client_404_no_client", "service": "client", "side": "A"}
    app.session_state["cases-today/nn-nn"] = {"selection": {"pick": [where]}}
    app = app.run()
    assert app.title[0].value == "Explain"
    assert "client has z " in texts(app)


def test_a_click_on_a_recall_leads_to_the_worst_of_the_test_case_in_that_prediction(workspace: Workspace) -> None:
    app = page(COMPARE, a="forest", b="nn")
    app.session_state[address.COMPARED] = "Recall by fault"
    picked = {"test_case": "get_client_404_no_client", "prediction": "nn"}
    app.session_state["faults-forest-nn"] = {"selection": {"pick": [picked]}}
    app = app.run()
    assert app.title[0].value == "Explain"
    assert app.selectbox(key="choice-Prediction").value.name == "nn"
    assert "client has z " in texts(app)


def test_more_predictions_stand_beside_the_two(workspace: Workspace) -> None:
    app = tab(page(COMPARE, a="forest", b="nn"), "Recall by fault")
    app = app.multiselect(key="others-forest-nn").set_value(["today/nn"]).run()
    assert not app.exception


def test_facts_of_the_provenance_are_shown_in_full_and_never_as_html(workspace: Workspace) -> None:
    shutil.copy(workspace.path("nn"), workspace.path("<b>bold"))
    app = page(COMPARE, a="<b>bold", b="forest")
    table = provenance(app)
    workspace.path("<b>bold").unlink()
    assert "<b>" not in table
    assert table_row(table, "") == ["A  ·  &lt;b&gt;bold", "B  ·  forest"]
    assert [path.rpartition("/models/")[2] for path in table_row(table, "model file")] == ["nn.joblib", "forest.joblib"]


@pytest.mark.parametrize("kind", ["message", "request"])
def test_an_item_that_is_new_leads_to_its_raw_lines(workspace: Workspace, kind: str) -> None:
    app = tab(page(COMPARE, a="today/nn", b="nn"), "New and vanished items")
    app.session_state["items-kind"] = kind
    key = f"items-today/nn-nn-new-{kind}"
    app.session_state[key] = {"selection": {"rows": [0], "columns": []}}
    app = app.run()
    assert not app.exception
    assert {"line_no", "text"} <= columns(app)


def test_what_differs_in_provenance_comes_first(workspace: Workspace) -> None:
    app = page(COMPARE, a="forest", b="nn")
    assert table_row(provenance(app), "model") == ["IsolationForest", "NearestNormal"]
    assert not table_row(provenance(app), "training data")
    app = app.toggle(key="provenance-all").set_value(True).run()
    assert table_row(provenance(app), "training data")


def test_a_and_b_can_be_swapped(workspace: Workspace) -> None:
    app = press(page(COMPARE, a="forest", b="nn"), "Swap")
    assert (app.selectbox(key="choice-A").value, app.selectbox(key="choice-B").value) == ("nn", "forest")


def test_the_same_prediction_twice_is_no_comparison(workspace: Workspace) -> None:
    app = page(COMPARE, a="nn", b="nn")
    assert not app.exception
    assert "A and B are the same prediction" in texts(app)


def test_a_link_to_a_prediction_that_is_gone_says_so(workspace: Workspace) -> None:
    app = page(COMPARE, a="gone", b="nn")
    assert not app.exception
    assert "There is no prediction gone" in texts(app)


def test_a_flip_leads_to_its_explanation(workspace: Workspace) -> None:
    app = tab(page(COMPARE, a="forest", b="nn"), "Flips")
    buttons = {button.label: button for button in app.button}
    assert buttons["Explain in B"].disabled
    key = next(e.proto.id.split("-", 2)[-1] for e in app.dataframe if "flips-" in e.proto.id)
    app.session_state[key] = {"selection": {"rows": [0], "columns": [], "cells": []}}
    app = press(app.run(), "Explain in B")
    assert app.title[0].value == "Explain"


def test_the_command_it_shows_works(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    app = page(COMPARE, a="nn", b="today/nn")
    assert cli_commands.main(commands(app)[-1]) == 0
    assert "report.html" in capsys.readouterr().out


def test_a_comparison_is_kept_in_the_workspace(workspace: Workspace) -> None:
    press(page(COMPARE, a="forest", b="nn"), "Save")
    assert (workspace.root / "explainability" / "compare_forest_nn" / "report.html").exists()


PAIRS = pl.DataFrame({"seq_id": ["a", "b", "c"], "z_a": [-1.0, 2.0, 30.0], "z_b": [0.5, 2.5, 40.0]})


def test_a_brush_selects_what_lies_in_its_box_and_a_click_one_mark() -> None:
    brushed = same_logs.selected(PAIRS, {"brush": {"z_a": [5.0, -2.0], "z_b": [0.0, 3.0]}})
    assert brushed is not None
    assert brushed["seq_id"].to_list() == ["a", "b"]
    clicked = same_logs.selected(PAIRS, {"pick": [{"seq_id": "c"}], "brush": {}})
    assert clicked is not None
    assert clicked["seq_id"].to_list() == ["c"]
    assert same_logs.selected(PAIRS, {"pick": [], "brush": {}}) is None


def test_a_click_on_a_cell_lists_just_what_it_counts() -> None:
    z = pl.DataFrame({"z_a": [-50.0, -1.0, 0.0, 0.01, 3.0, 700.0], "z_b": [0.0, 1.0, 2.0, 3.0, 4.0, -5.0]})
    cells = histogram.histogram(z, "z_a", "z_b")
    assert cells["n"].sum() == z.height
    for cell, n in cells.select("cell", "n").iter_rows():
        listed = same_logs.selected(z, {"pick": [{"cell": cell}]})
        assert listed is not None
        assert listed.height == n


def test_a_prediction_written_by_hand_may_lack_ranks_and_p_values(
    scored: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = dashboard_in(Path(shutil.copytree(scored, tmp_path / "own")), monkeypatch)
    workspace.read(Predictions, "nn").drop("p_value", "rank").write_parquet(workspace.path("mine"))
    app = page(COMPARE, a="forest", b="mine")
    assert not app.exception
    assert metrics(app)["B flags"] == metrics(page(COMPARE, a="forest", b="nn"))["B flags"]
    assert not tab(app, "Over time").exception
