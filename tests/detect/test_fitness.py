"""Fitness: what a model does not know is told from faults, and told apart from what normal runs differ in, too."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from helpers.loglines import line, write_log

from lo2core.base.schemas import Events, Predictions, Sequences
from lo2core.cli.commands import main
from lo2core.detect.anomaly_detector import AnomalyDetector
from lo2core.detect.fitness import FITS, IN_PART, NOT_AT_ALL, UNJUDGED, Fitness, judge
from lo2core.detect.incidents import by_incident
from lo2core.detect.recipe import Recipe
from lo2core.enhance.enhancers import EventLogEnhancer
from lo2core.load.plan import LoadOptions
from lo2core.messages.secrets import masked_text
from lo2core.pipeline.bundles import open_bundle
from lo2core.pipeline.compare import compare_predictions
from lo2core.pipeline.evaluate import evaluate_recipes
from lo2core.pipeline.inputs import logs_for
from lo2core.pipeline.load import load_logs
from lo2core.pipeline.predict import fitness, predict_logs, recorded_fitness
from lo2core.pipeline.train import train_bundle
from lo2core.store.predictions import read_predictions
from lo2core.store.workspace import Workspace

SERVICES = ("client", "token", "user")
STEPS = ("receive", "check", "look up", "answer", "clean up", "count", "forget", "wait")
NORMALS = ("correct", "correct_1", "correct_2")
INCIDENTS = (pl.col("kind") == "detector") & (pl.col("split") == "by run") & (pl.col("level") == "incident")
FAULTS = ("get_a_404", "get_b_404", "get_c_404")

Change = Callable[[str, str, str], str]
"""Of the service, the test case and the content of a log."""


def content(service: str, run: int, case: int, fault: str = "") -> str:
    """A log of six requests of eight lines each; a fault makes two of them end in a message and an error of its own."""
    written = []
    for request in range(6):
        cid = f"{service[:4]:_<4}{run:04}{case:04}{request:010}"
        moment = f"10:{case:02}:{request:02}."
        steps = [line(f"{service} will {step} it", f"{moment}{n:03}", cid=cid) for n, step in enumerate(STEPS)]
        if fault and request < 2:
            steps[5:] = [
                line(f"rolled back for {fault}", f"{moment}500", cid=cid),
                line(f"FAILED_{fault.upper()}", f"{moment}501", "ERROR", cid),
            ]
        written += steps
    return "".join(written)


def write(root: Path, runs: range, cases: tuple[str, ...], change: Change = lambda s, c, log: log) -> Path:
    for run in runs:
        for number, case in enumerate(cases):
            for service in SERVICES:
                fault = case[:9] if service == "client" and case[:9] in FAULTS else ""
                log = change(service, case, content(service, run, number, fault))
                write_log(root / f"light-oauth2-data-{1719592986 + 1000 * run}" / case, log, service)
    return root


def new_version(log: str) -> str:
    return log.replace("will", "is going to")


def only_errors(log: str) -> str:
    return re.sub(r"DEBUG (\S+ \S+) - .*", r"ERROR \1 - the database is gone", log)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the bundle `nn.joblib`, trained on three runs."""
    folder = tmp_path_factory.mktemp("fitness")
    load_logs(Workspace(folder / "ws"), [write(folder / "logs", range(3), NORMALS)], jobs=1)
    return train_bundle(Workspace(folder / "ws"), Recipe(), folder / "nn.joblib").parent


def loaded(folder: Path, cases: tuple[str, ...], change: Change = lambda s, c, log: log) -> Workspace:
    """One more run, which the model does not know, with these test cases."""
    workspace = Workspace(folder / "new")
    load_logs(workspace, [write(folder / "new-logs", range(7, 8), cases, change)], LoadOptions(labels="none"), jobs=1)
    return workspace


def verdicts(found: Fitness) -> dict[str, str]:
    return {one.service: one.verdict for one in found.services}


def on_client(change: Callable[[str], str]) -> Change:
    return lambda service, case, log: change(log) if service == "client" else log


@pytest.mark.parametrize(
    ("cases", "change", "verdict", "of_client"),
    [
        pytest.param(NORMALS, on_client(str), FITS, FITS, id="a normal run"),
        pytest.param(FAULTS, on_client(str), FITS, FITS, id="only faulty test cases"),
        pytest.param(("get_a_404", "get_a_404_2"), on_client(str), FITS, FITS, id="one fault everywhere"),
        pytest.param(NORMALS, on_client(lambda log: log * 2), FITS, FITS, id="twice the load"),
        pytest.param(NORMALS, on_client(only_errors), IN_PART, IN_PART, id="a service that logs only errors"),
        pytest.param(NORMALS, on_client(lambda log: ""), IN_PART, IN_PART, id="a silent service"),
        pytest.param(NORMALS, on_client(lambda log: "what is\nthat\n"), IN_PART, NOT_AT_ALL, id="logs not read"),
        pytest.param(NORMALS, on_client(lambda log: "half\n" * 50 + log), IN_PART, IN_PART, id="logs read in part"),
        pytest.param(NORMALS, on_client(new_version), IN_PART, NOT_AT_ALL, id="a new version of one service"),
        pytest.param(
            NORMALS, on_client(lambda log: log.replace("forget", "delete")), IN_PART, IN_PART, id="one new message"
        ),
        pytest.param(NORMALS, lambda s, c, log: new_version(log), NOT_AT_ALL, NOT_AT_ALL, id="another system"),
        pytest.param(
            NORMALS, lambda s, c, log: log.replace("wait", "sleep"), NOT_AT_ALL, IN_PART, id="most services are new"
        ),
    ],
)
def test_faults_and_load_are_no_misfit_and_new_messages_are(
    trained: Path, tmp_path: Path, cases: tuple[str, ...], change: Change, verdict: str, of_client: str
) -> None:
    found = fitness(loaded(tmp_path, cases, change), open_bundle(trained / "nn.joblib"))
    assert (found.verdict, verdicts(found)["client"]) == (verdict, of_client), found.sentence
    assert (of_client == FITS) or "client" in found.sentence


def test_flags_stay_visible_beside_every_verdict(trained: Path, tmp_path: Path) -> None:
    workspace = loaded(tmp_path, NORMALS, on_client(only_errors))
    predict_logs(workspace, trained / "nn.joblib", "new")
    assert workspace.read(Predictions, "new").filter(service="client")["pred_ano"].all()


def test_scores_flags_and_order_do_not_depend_on_it(trained: Path, tmp_path: Path) -> None:
    workspace = loaded(tmp_path, FAULTS, on_client(new_version))
    predict_logs(workspace, trained / "nn.joblib", "new")
    opened = open_bundle(trained / "nn.joblib")
    opened.model.facts.pop("held_out")
    logs = logs_for(workspace, opened.vec)
    assert judge(opened.model, opened.vec, logs).verdict == UNJUDGED
    from lo2core.detect.units import unit_of

    scores = unit_of(opened.model).predict(opened.model, opened.vec, logs)
    assert workspace.read(Predictions, "new").equals(scores.lazy().collect())


def test_services_that_the_model_does_not_know_and_windows_do_not_fit(trained: Path, tmp_path: Path) -> None:
    write_log(tmp_path / "logs" / "run_1" / "correct", content("key", 1, 1), "key")
    load_logs(Workspace(tmp_path / "key"), [tmp_path / "logs"], jobs=1)
    opened = open_bundle(trained / "nn.joblib")
    assert fitness(Workspace(tmp_path / "key"), opened).verdict == NOT_AT_ALL
    load_logs(Workspace(tmp_path / "cut"), [trained / "logs"], LoadOptions(window=3), jobs=1)
    assert fitness(Workspace(tmp_path / "cut"), opened).verdict == NOT_AT_ALL


def test_sentences_about_a_service_called_token_are_not_masked_as_secrets(trained: Path, tmp_path: Path) -> None:
    def change(service: str, case: str, log: str) -> str:
        return new_version(log) if service == "token" else log

    write_log(tmp_path / "new-logs" / "light-oauth2-data-1719599986" / "correct", content("x", 1, 1), "refresh-token")
    found = fitness(loaded(tmp_path, NORMALS, change), open_bundle(trained / "nn.joblib"))
    assert "The model does not know refresh-token, so its logs have no score" in found.sentence
    assert "token: 100 % of the messages" in found.sentence
    assert masked_text(found.sentence) == found.sentence


def test_services_without_logs_are_named(trained: Path, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "new")
    load_logs(workspace, [trained / "logs"], LoadOptions(services=("client",)), jobs=1)
    found = fitness(workspace, open_bundle(trained / "nn.joblib"))
    assert found.verdict == IN_PART
    assert found.reasons == ("These logs contain nothing of token, user.",)


def test_one_training_run_is_not_enough_to_judge(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "ws")
    load_logs(workspace, [write(tmp_path / "logs", range(1), NORMALS)], jobs=1)
    bundle = train_bundle(workspace, Recipe(), tmp_path / "nn.joblib")
    found = fitness(workspace, open_bundle(bundle))
    assert found.verdict == UNJUDGED
    assert "trained on one normal run, which is not enough" in found.sentence


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe("IsolationForest", items="words", params={"n_estimators": 5}),
        Recipe(items="templates"),
        Recipe(items="requests"),
        Recipe("OutOfVocabulary", items="messages", unit="event"),
    ],
    ids=lambda recipe: f"{recipe.items} of {recipe.unit}s",
)
def test_every_kind_of_model_is_judged(trained: Path, tmp_path: Path, recipe: Recipe) -> None:
    opened = open_bundle(train_bundle(Workspace(trained / "ws"), recipe, tmp_path / "model.joblib"))
    assert fitness(Workspace(trained / "ws"), opened).verdict == FITS
    found = fitness(loaded(tmp_path, FAULTS, on_client(new_version)), opened)
    assert found.verdict == IN_PART
    assert "client: " in found.sentence


def test_a_model_of_the_rows_of_a_frame_is_judged(trained: Path, tmp_path: Path) -> None:
    enhancer = EventLogEnhancer(Workspace(trained / "ws").read(Events))
    enhancer.normalize().words()
    enhancer.length()
    detector = AnomalyDetector(item_list_col="e_event_drain_id", numeric_cols=["e_words_len"])
    detector.train_df = enhancer.drain()
    detector.prepare_train_test_data()
    detector.train_IsolationForest(n_estimators=5)
    for change, verdict in ((str, FITS), (new_version, IN_PART)):
        workspace = loaded(tmp_path / verdict, NORMALS, on_client(change))
        assert judge(detector.model, detector.vec, logs_for(workspace, detector.vec)).verdict == verdict


def test_it_is_recorded_printed_and_compared(trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workspace = loaded(tmp_path, NORMALS, on_client(new_version))
    predict_logs(Workspace(trained / "ws"), trained / "nn.joblib", "old", replace=True)
    command = ["predict", "--output-dir", str(workspace.root), "--bundle", str(trained / "nn.joblib")]
    assert main([*command, "--predictions", "new"]) == 0
    found = recorded_fitness(workspace, "new")
    assert found is not None and found.verdict == IN_PART
    assert found.sentence in capsys.readouterr().err
    predict_logs(workspace, trained / "nn.joblib", "again")
    facts = compare_predictions(workspace, ["new", "again"]).provenance.filter(prediction="new")
    told = dict(facts.select("fact", "value").iter_rows())
    assert told["fitness"] == "fits in part"
    assert told["fitness by service"] == "client does not fit"
    assert main(["compare", "new", "again", "--output-dir", str(workspace.root)]) == 0
    assert f"again: {found.sentence}" in capsys.readouterr().out


def test_logs_that_were_read_in_part_are_named_and_training_logs_may_have_been_read_in_part_too(
    trained: Path, tmp_path: Path
) -> None:
    def change(service: str, case: str, log: str) -> str:
        return "half\n" * 50 + log if service == "token" else log

    workspace = loaded(tmp_path, NORMALS, change)
    predict_logs(workspace, trained / "nn.joblib", "new")
    found = recorded_fitness(workspace, "new")
    assert found is not None and (found.verdict, verdicts(found)["token"]) == (IN_PART, IN_PART)
    (reason,) = found.reasons
    assert "3 logs were read in part, and scores rest on that part: new-logs/" in reason
    assert all(f"/{case}/light-oauth2-oauth2-token-1.log" in reason for case in NORMALS)
    assert "(51 % of the lines come before the first event), also new-logs/" in reason
    load_logs(Workspace(tmp_path / "ws"), [write(tmp_path / "logs", range(3), NORMALS, change)], jobs=1)
    predict_logs(workspace, train_bundle(Workspace(tmp_path / "ws"), Recipe(), tmp_path / "nn.joblib"), "alike")
    alike = recorded_fitness(workspace, "alike")
    assert alike is not None and (alike.verdict, alike.reasons) == (FITS, (reason,))


def test_explaining_logs_without_a_score_says_why_they_have_none(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace = loaded(tmp_path, NORMALS, lambda s, c, log: "what is\nthat\n")
    predict_logs(workspace, trained / "nn.joblib", "new")
    explain = ["explain", "--output-dir", str(workspace.root), "--predictions", "new"]
    for more in ([], ["--incident", "light-oauth2-data-1719599986/correct"]):
        assert main([*explain, *more]) == 2
        assert "the logs were not read, because no line is of a known format." in capsys.readouterr().err


@pytest.mark.parametrize("recipe", [Recipe(), Recipe("OutOfVocabulary", unit="event")], ids=["sequences", "events"])
def test_a_log_that_was_not_read_has_no_score_and_its_incident_is_not_fully_scored(
    trained: Path, tmp_path: Path, recipe: Recipe
) -> None:
    def change(service: str, case: str, log: str) -> str:
        return "what is\nthat\n" if service == "token" and case != "correct" else log

    train_bundle(Workspace(trained / "ws"), recipe, tmp_path / "model.joblib")
    workspace = loaded(tmp_path, ("correct", "correct_1", "get_a_404"), change)
    predict_logs(workspace, tmp_path / "model.joblib", "new")
    scores = read_predictions(workspace, "new")
    assert set(scores.filter(pl.col("score").is_null())["status"]) == {"not read"}
    assert set(scores.drop_nulls("score")["status"]) == {"scored"}
    assert dict(by_incident(scores).select("folder", "pred_ano").iter_rows()) == {
        "correct": False,
        "correct_1": None,
        "get_a_404": True,
    }


@pytest.mark.parametrize("detector", ["NearestNormal", "OutOfVocabulary"])
def test_a_log_without_lines_is_flagged_as_a_silent_service(trained: Path, tmp_path: Path, detector: str) -> None:
    train_bundle(Workspace(trained / "ws"), Recipe(detector), tmp_path / "model.joblib")
    workspace = loaded(tmp_path, NORMALS, on_client(lambda log: ""))
    predict_logs(workspace, tmp_path / "model.joblib", "new")
    found = workspace.read(Predictions, "new").filter(service="client")
    assert found["pred_ano"].all()
    assert set(found["status"]) == {"scored"}


def test_logs_that_were_not_read_are_not_learned_from(trained: Path, tmp_path: Path) -> None:
    def change(service: str, case: str, log: str) -> str:
        return "what is\nthat\n" if service == "token" and case == "correct_1" else log

    workspace = Workspace(tmp_path / "ws")
    load_logs(workspace, [write(tmp_path / "logs", range(3), NORMALS, change)], jobs=1)
    model = open_bundle(train_bundle(workspace, Recipe(), tmp_path / "nn.joblib")).model
    assert workspace.read(Sequences).filter(service="token").height == 9
    assert len(model.normals["token"][0]) == 6


def test_an_evaluation_does_not_count_incidents_that_are_not_fully_scored(tmp_path: Path) -> None:
    def change(service: str, case: str, log: str) -> str:
        return "what is\nthat\n" if service == "token" and case in ("correct_1", "get_a_404", "get_b_404") else log

    workspace = Workspace(tmp_path / "ws")
    logs = write(tmp_path / "logs", range(3), (*NORMALS, *FAULTS), change)
    load_logs(workspace, [logs], LoadOptions(), jobs=1)
    row = evaluate_recipes(workspace, [Recipe()]).row(by_predicate=INCIDENTS, named=True)
    assert (row["normal"], row["faulty"], row["true_positives"]) == (6, 9, 9)
    assert row["note"] == "3 incidents without an alarm, in which a service has no score, not counted."


def test_a_service_whose_messages_are_all_unique_cannot_be_judged(tmp_path: Path) -> None:
    numbers = iter(range(1000, 100_000))

    def unique(service: str, case: str, log: str) -> str:
        lines = (f"2026-11-28 10:00:00,123 INFO [main] a.Cart: sold to user{next(numbers)}x" for _ in range(40))
        return "\n".join(lines) + "\n" if service == "token" else log

    workspace, other = Workspace(tmp_path / "ws"), Workspace(tmp_path / "other")
    load_logs(workspace, [write(tmp_path / "logs", range(3), NORMALS, unique)], LoadOptions(), jobs=1)
    load_logs(other, [write(tmp_path / "new", range(3, 4), NORMALS, unique)], LoadOptions(), jobs=1)
    bundle = train_bundle(workspace, Recipe(), tmp_path / "models" / "nn.joblib")
    predict_logs(other, bundle, "scores")
    fitness = other.metadata("scores")["fitness"]
    assert fitness["services"]["token"] == UNJUDGED and fitness["verdict"] == IN_PART
    assert any("are in no other run" in reason for reason in fitness["reasons"])
