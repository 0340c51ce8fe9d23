"""The overview, run by Streamlit without a browser: each card fails alone, and something always leads on."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest
from helpers.pageverbs import ROOT, dashboard_in, has_button, page, press, texts, wait_for_job
from helpers.scored import score_sample
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Selectbox

from lo2core.base.schemas import INCIDENT_KEY, Predictions, Sequences, Triage
from lo2core.detect.fitness import NOT_AT_ALL, Fitness
from lo2core.detect.recipe import Recipe
from lo2core.explain import feedback
from lo2core.pipeline import jobs
from lo2core.pipeline.commands import Command, Demo, Enhance, Evaluate, Load, Predict, Train
from lo2core.pipeline.feedback import add_mark
from lo2core.pipeline.lock import Work
from lo2core.pipeline.train import train_bundle
from lo2core.store import bundles
from lo2core.store.workspace import Workspace
from lo2core.ui.overview.worst import MOST
from lo2core.ui.shell.job_panel import after

OVERVIEW = "streamlit_app.py"


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory, loaded_sample: Path, sample_logs: Path) -> Path:
    return score_sample(loaded_sample, sample_logs, tmp_path_factory.mktemp("overview"))


@pytest.fixture
def shared(scored: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """Scored by two models, read only."""
    return dashboard_in(scored, monkeypatch)


@pytest.fixture
def workspace(tmp_path: Path, scored: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """Scored by two models; a copy to write into."""
    return dashboard_in(Path(shutil.copytree(scored, tmp_path, dirs_exist_ok=True)), monkeypatch)


def predictions(app: AppTest) -> Selectbox[str]:
    return next(box for box in app.selectbox if box.label.startswith("Prediction"))


def test_scores_written_by_hand_are_shown(workspace: Workspace) -> None:
    frame = workspace.read(Predictions, "nn").select("seq_id", "run", "test_case", "service", "score")
    frame.write_parquet(workspace.path("my_own"))
    app = page()
    assert not app.exception
    assert predictions(app).value == "my_own"
    assert "incidents flagged. The 20 worst:" in texts(app)


def test_all_incidents_can_be_shown_and_compare_opens_with_the_prediction_before(
    shared: Workspace,
) -> None:
    app = page()
    shown, older = predictions(app).options[1:3]
    app = predictions(app).set_value(shown).run()
    n = shared.read(Predictions, shown).select(INCIDENT_KEY).n_unique()
    assert app.dataframe[-1].value.shape[0] == MOST < n
    app = next(toggle for toggle in app.toggle if toggle.label == "Show all").set_value(True).run()
    assert not app.exception
    assert "incidents flagged. All, worst first:" in texts(app)
    assert app.dataframe[-1].value.shape[0] == n
    press(app, "Compare")
    assert (app.query_params["a"], app.query_params["b"]) == (older, shown)


def test_a_model_that_does_not_fit_and_alarms_that_marks_suppress_are_mentioned(workspace: Workspace) -> None:
    made = workspace.metadata("nn") | {"fitness": Fitness(NOT_AT_ALL, ("token: all is new.",)).facts}
    frame = workspace.read(Predictions, "nn")
    workspace.write(Predictions, frame, name="nn", provenance=made, replace=True)
    flagged = frame.filter("pred_ano")["seq_id"][0]
    add_mark(workspace, feedback.benign("sequence", flagged, flagged, "a drill", "me"))
    app = predictions(page()).set_value("nn").run()
    shown = texts(app)
    assert "The model does not fit these logs" in shown
    assert "token: all is new." in shown
    assert "model does not fit" in shown
    assert "Marks affect 1 sequence; incidents no longer flagged: 1." in shown
    table = app.dataframe[-1].value
    assert "window" not in table.columns  # these test cases have none


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (OVERVIEW, "These predictions contain no scores."),
        ("pages/5_Explain.py", "These predictions contain no scores, so there is nothing to explain"),
        ("pages/6_Compare.py", "nothing contains no scores, so there is nothing to compare"),
    ],
)
def test_a_prediction_without_a_row_says_so_on_every_page(workspace: Workspace, script: str, said: str) -> None:
    pl.read_parquet(workspace.path("nn")).clear().write_parquet(workspace.path("nothing"))
    app = page() if script == OVERVIEW else page(script, prediction="nothing", a="nn", b="nothing")
    assert not app.exception
    assert said in texts(app)
    assert "Unexpected error" not in texts(app)


def test_a_prediction_that_cannot_be_read_is_not_the_default_and_fails_alone(workspace: Workspace) -> None:
    pl.DataFrame({"seq_id": ["a"], "score": ["high"]}).write_parquet(workspace.path("mine"))
    app = page()
    assert predictions(app).value != "mine"
    assert " worst first:" in texts(app)
    app = predictions(app).set_value("mine").run()
    assert "score: got String, expected Float64" in texts(app)
    assert has_button(app, "Score new logs")


def test_damaged_logs_break_their_card_alone(workspace: Workspace) -> None:
    workspace.path(Sequences).write_bytes(b"PAR1 nonsense")
    app = page()
    assert "lo2_sequences.parquet is damaged" in texts(app)
    assert " worst first:" in texts(app)
    assert any(link.proto.label == "**Loaded**" for link in app.get("page_link"))


def test_a_damaged_prediction_is_named(workspace: Workspace) -> None:
    path = workspace.path("nn")
    path.write_bytes(path.read_bytes()[:5000])
    assert "damaged: nn" in texts(page())
    assert "The file of prediction nn is damaged" in texts(page("pages/5_Explain.py", prediction="nn"))


def test_where_a_model_is_there_the_way_leads_to_scoring(workspace: Workspace) -> None:
    for name in ("nn", "forest"):
        workspace.remove(name)
    shutil.rmtree(workspace.root / "samples")
    train_bundle(workspace, Recipe(), workspace.root.parent / "models" / "fresh.joblib")
    app = page()
    assert "These logs are not scored yet. Model fresh is ready." in texts(app)
    assert has_button(app, "Score logs")
    assert not has_button(app, "Train a model")


def test_a_link_keeps_its_workspace_although_it_does_not_exist_yet(shared: Workspace) -> None:
    app = page("pages/5_Explain.py", ws="/does/not/exist")
    assert "The workspace /does/not/exist does not exist yet." in texts(app)
    assert app.selectbox(key="choice-Workspace").value == "/does/not/exist"


def test_a_link_to_a_file_says_which_workspace_is_shown(shared: Workspace) -> None:
    file = shared.path(Sequences)
    app = page("pages/5_Explain.py", ws=str(file))
    assert f"{file} is not a folder that can be read. Showing {shared.root}." in texts(app)


@pytest.mark.parametrize("begun", [".job", ".parts"])
def test_a_link_opens_a_folder_that_is_being_loaded(shared: Workspace, tmp_path: Path, begun: str) -> None:
    (tmp_path / "new" / begun).mkdir(parents=True)
    app = page("pages/1_Load.py", ws=str(tmp_path / "new"))
    assert app.selectbox(key="choice-Workspace").value == str(tmp_path / "new")


def test_the_workspace_is_in_the_address_of_every_page(shared: Workspace) -> None:
    for script in ("pages/1_Load.py", "pages/6_Compare.py", OVERVIEW):
        app = page(script)
        assert app.query_params["ws"] == str(shared.root)


def links(app: AppTest) -> dict[str, str]:
    """The query strings of the side bar's links."""
    return {link.proto.label: link.proto.query_string for link in app.sidebar.get("page_link")}


def test_the_side_bar_leads_back_to_what_was_chosen_on_a_page(shared: Workspace, tmp_path: Path) -> None:
    app = page("pages/6_Compare.py", a="nn", b="forest")
    assert "a=nn" not in links(app)["Compare"]
    app.query_params.clear()
    app.switch_page("pages/5_Explain.py").run()
    assert "a=nn&b=forest" in links(app)["Compare"]
    app.query_params["ws"] = str(shutil.copytree(shared.root, tmp_path / "other"))
    assert "a=nn" not in links(app.run())["Compare"]


@pytest.mark.parametrize(
    ("command", "page", "params"),
    [
        (Train(bundle=Path("models/a.joblib")), "pages/4_Predict.py", {"bundle": "a"}),
        (Enhance(), "pages/3_Train.py", {}),
        (
            Predict(output_dir=Path("ws/samples/today"), bundle=Path("a.joblib"), predictions="p"),
            "pages/5_Explain.py",
            {"prediction": "p", "sample": "today"},
        ),
        (Demo(), "pages/5_Explain.py", {}),
    ],
)
def test_a_job_that_ended_leads_on(command: Command, page: str, params: dict[str, str]) -> None:
    lead = after(command.work())
    assert lead
    assert (lead.page, lead.params) == (page, params)


def test_loaded_logs_lead_to_scoring_where_a_model_may_be_used(workspace: Workspace, tmp_path: Path) -> None:
    for path, leads_to in ((None, "pages/4_Predict.py"), (tmp_path / "models", "pages/3_Train.py")):
        if path:
            shutil.rmtree(path)
        lead = after(Load(root=(Path("logs"),), output_dir=Path("ws")).work())
        assert lead
        assert lead.page == leads_to
        lead = after(Load(root=(Path("logs"),), output_dir=Path("ws/samples/today")).work())
        assert lead
        assert lead.params == ({"sample": "today"} if leads_to == "pages/4_Predict.py" else {})
    assert not bundles.bundles(tmp_path / "models")


def test_nothing_leads_on_from_an_evaluation() -> None:
    assert after(Evaluate().work()) is None
    assert after(Work()) is None


def test_the_message_of_a_job_that_ended_has_a_link_to_the_next_page(workspace: Workspace) -> None:
    jobs.start(workspace, Enhance(output_dir=workspace.root).work())
    wait_for_job(workspace)
    app = AppTest.from_file(str(ROOT / OVERVIEW), default_timeout=30)
    app.session_state["watched_job"] = str(workspace.root)
    app.run()
    assert "Done after " in texts(app)
    assert next(link.proto.label for link in app.main.get("page_link")) == "Train a model"


def test_flagged_incidents_are_shown_by_cause_and_a_group_can_be_noted_and_undone(workspace: Workspace) -> None:
    app = predictions(page()).set_value("nn").run()
    assert not app.exception
    assert "by cause:" in texts(app)
    table = next(table.value for table in app.dataframe if "title" in table.value.columns)
    key = f"groups-overview-nn-all-{len(table)}"
    app.session_state[key] = {"selection": {"rows": [0], "columns": [], "cells": []}}
    app = app.run()
    app = next(button for button in app.button if button.label == "Seen").click().run()
    assert not app.exception
    assert "1 seen" in texts(app)
    app.session_state[key] = {"selection": {"rows": [0], "columns": [], "cells": []}}
    app = app.run()
    app = next(button for button in app.button if button.label == "Undo").click().run()
    assert "1 seen" not in texts(app)


def test_groups_are_shown_although_the_triage_is_damaged(workspace: Workspace) -> None:
    workspace.path(Triage).write_bytes(b"garbage")
    app = predictions(page()).set_value("nn").run()
    assert "by cause:" in texts(app)
    assert "lo2_triage.parquet is damaged" in texts(app)
    assert "move it away to begin without what people noted in it" in texts(app)


def test_a_copy_of_a_project_offers_the_model_of_the_newest_scores_first_for_new_logs(shared: Workspace) -> None:
    app = page("pages/4_Predict.py")
    assert app.selectbox(key="score-with").value.stem == "nn"
