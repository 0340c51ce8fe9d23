"""Explain and compare over a workspace: the sample loaded, trained, scored, explained, compared, and all of it kept."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from lo2core.base.errors import ArtefactError, InputError
from lo2core.base.schemas import Predictions
from lo2core.cli.commands import main
from lo2core.detect.incidents import Incident, worst_incidents
from lo2core.detect.recipe import Recipe
from lo2core.explain import feedback, model_importance, requests
from lo2core.explain.evidence import Evidence
from lo2core.explain.explanation import Explanation, diff_sides, explain_incident
from lo2core.pipeline import bundles, compare
from lo2core.pipeline.explain import bundle_of, evidence, keep_incident, keep_prediction
from lo2core.pipeline.feedback import add_mark, marks
from lo2core.pipeline.predict import predict_logs
from lo2core.pipeline.train import train_bundle
from lo2core.store.predictions import read_predictions
from lo2core.store.workspace import Workspace


@pytest.fixture(scope="module")
def home(loaded_sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The sample with two bundles and their predictions, `nn` and `rarity`."""
    root = tmp_path_factory.mktemp("answers")
    workspace = Workspace(shutil.copytree(loaded_sample, root / "workspace"))
    for name, detector in (("nn", "NearestNormal"), ("rarity", "Rarity")):
        bundle = train_bundle(workspace, Recipe(detector), root / f"{name}.joblib")
        predict_logs(workspace, bundle, name)
    return workspace


@pytest.fixture(scope="module")
def found(home: Workspace) -> Evidence:
    return evidence(home, bundle_of(home, "nn"))


@pytest.fixture(scope="module")
def explained(home: Workspace, found: Evidence) -> Explanation:
    predictions = read_predictions(home, "nn")
    faulty = predictions.filter("anomaly")
    return explain_incident(found, predictions, worst_incidents(faulty, 1)[0], "nn")


@pytest.mark.parametrize(
    ("text", "incident"),
    [("r/f", Incident("r", "f")), ("r/f/3", Incident("r", "f", 3)), ("r x/f__1/0", Incident("r x", "f__1", 0))],
)
def test_incidents_are_parsed_and_named(text: str, incident: Incident) -> None:
    assert Incident.parse(text) == incident
    assert str(incident) == text
    assert Path(incident.file_name).name == incident.file_name


def test_a_window_may_be_called_as_it_is_shown() -> None:
    assert Incident.parse("r/f/w002") == Incident("r", "f", 2)


@pytest.mark.parametrize("text", ["run/folder/w", "", "run", "run/", "/folder", "run/folder/second"])
def test_other_names_of_incidents_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="run/folder"):
        Incident.parse(text)


def test_incidents_with_odd_names_get_folders_of_their_own() -> None:
    assert Incident("r", "a b").file_name != Incident("r", "a?b").file_name


def test_an_incident_is_explained_down_to_the_line(explained: Explanation) -> None:
    assert explained.services["z_score"].is_sorted(descending=True)
    assert "higher than all" in explained.services["words"][0]
    assert explained.lines.filter(pl.col("place") == 1)["level"][0] == "ERROR"
    assert explained.requests.height
    assert explained.diff is not None
    assert set(explained.methods) == set(explained.items["service"])


def test_a_request_is_followed_through_its_services(found: Evidence) -> None:
    assert found.here.events is not None
    services = pl.col("service").n_unique().alias("services")
    owners = found.here.events.drop_nulls("correlation_id").group_by("run", "folder", "correlation_id")
    widest = owners.agg(services, pl.col("seq_id").first()).collect().sort("services").row(-1, named=True)
    path = requests.request_path(found, widest["seq_id"], widest["correlation_id"])
    assert path["service"].n_unique() == widest["services"] > 1
    assert path["m_timestamp"].is_sorted()


def test_what_was_explained_is_kept(home: Workspace, found: Evidence, explained: Explanation) -> None:
    paths = keep_incident(home, found, explained)
    folder = home.root / "explainability" / "nn" / explained.incident.file_name
    assert {path.parent for path in paths} == {folder}
    assert {path.name for path in paths} >= {"items.parquet", "items.csv", "lines.csv", "diff.parquet", "report.html"}
    assert pl.read_parquet(folder / "items.parquet").equals(explained.items)
    assert pl.read_csv(folder / "items.csv").height == explained.items.height


def test_secrets_are_kept_in_parquet_and_masked_in_what_is_shared(
    home: Workspace, found: Evidence, explained: Explanation
) -> None:
    secret = explained.lines.with_columns(text=pl.format("{} password=hunter2", "text"))
    told = replace(explained, lines=secret)
    folder = home.root / "explainability" / "nn" / explained.incident.file_name

    def saved(secrets: bool) -> list[bool]:
        keep_incident(home, found, told, secrets)
        return ["hunter2" in (folder / name).read_text() for name in ("report.html", "lines.csv")]

    assert saved(secrets=True) == [True, True]
    assert saved(secrets=False) == [False, False]
    assert pl.read_parquet(folder / "lines.parquet")["text"].equals(secret["text"])


def test_a_whole_prediction_is_kept_as_one_report(home: Workspace, found: Evidence) -> None:
    predictions = read_predictions(home, "nn")
    explanations = [explain_incident(found, predictions, one, "nn") for one in worst_incidents(predictions, 3)]
    paths = keep_prediction(home, found, predictions, explanations)
    page = next(path for path in paths if path.name == "report.html").read_text()
    assert all(str(one.incident) in page for one in explanations)
    assert "3 are explained below." in page


def test_scored_events_are_reported_by_the_oddness_of_messages(home: Workspace, tmp_path: Path) -> None:
    from lo2core.report import incident, prediction, terminal
    from lo2core.store.predictions import read_sequence_scores

    bundle = train_bundle(home, Recipe("Rarity", unit="event"), tmp_path / "rare.joblib")
    predict_logs(home, bundle, "rare")
    of_events = evidence(home, bundle_of(home, "rare"))
    for predictions in (read_predictions(home, "rare"), read_sequence_scores(home, "rare")):
        worst = worst_incidents(predictions, 1)[0]
        one = explain_incident(of_events, predictions, worst, "rare")
        page = prediction.prediction_report("rare", predictions, [one], {})
        assert "1 is explained below" in page
        assert incident.summarised(one).explained[0].items.titles[-1].text == "z-score"
        assert "share of the score" not in page + incident.incident_report(one)
        assert "(z-score, count here" in terminal.incident(one)


def test_normals_cut_for_training_are_found_again(found: Evidence, explained: Explanation) -> None:
    here, normal = diff_sides(found, explained.items["seq_id"][0]) or (None, None)
    assert here is not None and normal is not None
    assert normal.height


def test_without_the_training_logs_the_rest_is_still_explained(home: Workspace, tmp_path: Path) -> None:
    elsewhere = Workspace(shutil.copytree(home.root, tmp_path / "elsewhere"))
    bundle = bundle_of(home, "nn")
    facts = {**bundle.manifest, "facts": {**bundle.manifest["facts"], "workspace": str(tmp_path / "gone")}}
    moved = bundles.LoadedBundle(bundle.model, bundle.vec, facts, bundle.path)
    predictions = read_predictions(elsewhere, "nn")
    one = explain_incident(evidence(elsewhere, moved), predictions, worst_incidents(predictions, 1)[0])
    assert one.items.height


def test_marks_are_appended_and_survive(home: Workspace) -> None:
    before = marks(home).height
    mark = feedback.benign("item", 17, "text", "planned", "ann")
    add_mark(home, mark)
    add_mark(home, feedback.undo(marks(home), mark["mark"][0], "wrong", "ann"))
    assert marks(Workspace(home.root))["action"].to_list()[before:] == ["benign", "undo"]


def test_marks_that_are_set_at_the_same_time_are_all_kept(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    rows = [feedback.benign("item", n, "text", "planned", "ann") for n in range(20)]
    with ThreadPoolExecutor(len(rows)) as pool:
        list(pool.map(lambda row: add_mark(workspace, row), rows))
    assert set(marks(workspace)["mark"]) == {row["mark"][0] for row in rows}


def test_two_models_on_the_same_logs_are_compared(home: Workspace) -> None:
    compared = compare.compare_predictions(home, ["nn", "rarity"])
    assert compared.same_sequences
    assert "the model changed" in compared.verdict
    assert not compared.provenance.filter(pl.col("fact") == "scored data")["differs"].any()
    assert compared.metrics is not None and compared.metrics.height == 5
    paths = compare.save_comparison(home, compared)
    assert {path.parent.name for path in paths} == {"compare_nn_rarity"}


def test_the_logs_of_another_day_are_compared_by_test_case(home: Workspace) -> None:
    day = home.sample("tomorrow")
    frame = home.read(Predictions, "nn").with_columns(
        seq_id=pl.lit("t_") + pl.col("seq_id"), run=pl.lit("tomorrow"), pred_ano=pl.lit(False)
    )
    facts = {**home.metadata("nn"), "data_fingerprint": "other"}
    day.write(Predictions, frame, name="nn", provenance=facts)
    compared = compare.compare_predictions(home, ["nn", "tomorrow/nn"])
    assert not compared.same_sequences
    assert "the logs changed" in compared.verdict
    assert set(compared.incident_changes["change"]) == {"gone"}
    assert compare.save_comparison(home, compared)[0].parent.name == "compare_nn_tomorrow.nn"


def test_items_are_those_of_the_logs_that_were_scored(home: Workspace) -> None:
    facts = {**home.metadata("nn"), "data_fingerprint": "replaced since"}
    home.write(Predictions, home.read(Predictions, "nn"), name="earlier", provenance=facts)
    assert compare.read_saved(home, "nn").items is not None
    assert compare.read_saved(home, "earlier").items is None


def test_comparisons_of_others_do_not_replace_each_other(home: Workspace) -> None:
    for name in ("a", "a_b", "b_c", "c"):
        home.write(Predictions, home.read(Predictions, "nn"), name=name, provenance=home.metadata("nn"))
    asked = (["a", "b_c"], ["a_b", "c"], ["a", "c"], ["a", "c", "nn"], ["a", "b_c"])
    folders = [compare.save_comparison(home, compare.compare_predictions(home, names))[0].parent for names in asked]
    assert folders[0] == folders[-1]
    assert folders[0].name == "compare_a_b_c"
    assert len(set(folders)) == 4


def test_history_has_a_row_a_measure_of_each_prediction(home: Workspace) -> None:
    rows = compare.history(home)
    assert {"nn", "rarity"} <= set(rows["prediction"])
    assert rows["made"].null_count() == 0


def test_history_of_an_empty_workspace_is_empty(tmp_path: Path) -> None:
    assert compare.history(Workspace(tmp_path)).height == 0


def test_one_prediction_is_not_compared(home: Workspace) -> None:
    with pytest.raises(InputError, match="at least two predictions"):
        compare.compare_predictions(home, ["nn"])


def test_predictions_that_do_not_name_their_bundle_say_so(home: Workspace) -> None:
    home.read(Predictions, "nn").write_parquet(home.root / "by_hand.parquet")
    with pytest.raises(ArtefactError, match="--bundle"):
        bundle_of(home, "by_hand")


def test_a_model_is_explained(found: Evidence) -> None:
    important = model_importance.item_importance(found, "client", top=5)
    assert important["importance"].is_sorted(descending=True)
    assert model_importance.beeswarm(found, "client").height <= model_importance.MARKS
    assert set(model_importance.normal_scores(found.model)["service"]) == set(found.model.detectors)
    foreign = model_importance.foreign_templates(found)
    assert foreign.height
    assert not foreign["test_cases"].list.contains("correct").any()


def test_the_log_of_a_normal_begins_with_what_the_fewest_others_hold(found: Evidence) -> None:
    scored = model_importance.normal_scores(found.model).filter(pl.col("service") == "client")
    ids = found.normal_ids("client")
    assert sorted(scored["seq_id"]) == sorted(ids)
    lines = model_importance.lines_of_normal(found, "client", ids[0])
    assert lines.height == found.training.events_of(ids[0]).height
    assert lines["held_by"].is_sorted()
    assert set(lines["n_others"]) == {len(ids) - 1}
    last = found.training.events_where(pl.col("message_id") == lines["message_id"][-1])
    holders = set(last["seq_id"]) & set(ids) - {ids[0]}
    assert lines["held_by"][-1] == len(holders)


def test_the_command_line_explains_and_keeps(home: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "--output-dir", str(home.root), "--predictions", "nn", "--top", "2"]) == 0
    said = capsys.readouterr().out
    assert "top items (share" in said
    assert (home.root / "explainability" / "nn" / "report.html").exists()


def test_the_command_line_compares_and_keeps(home: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "nn", "rarity", "--output-dir", str(home.root)]) == 0
    said = capsys.readouterr().out
    assert "flips:" in said
    assert (home.root / "explainability" / "compare_nn_rarity" / "report.html").exists()


def test_an_unknown_incident_ends_with_one_sentence(home: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["explain", "--output-dir", str(home.root), "--predictions", "nn", "--incident", "no/where"]
    assert main(command) == 2
    assert "no incident 'where' of run 'no'" in capsys.readouterr().err


def test_predictions_with_the_longest_names_are_compared_and_kept(home: Workspace) -> None:
    names = ["n" * 125, "m" * 125]
    for name in names:
        shutil.copy(home.path("nn"), home.path(name))
    first = compare.save_comparison(home, compare.compare_predictions(home, names))
    assert first[0].exists()
    other = compare.save_comparison(home, compare.compare_predictions(home, names[::-1]))
    assert first[0].parent != other[0].parent
    for name in names:
        home.path(name).unlink()
