"""The command line: what it prints, where it writes, and one sentence when it cannot."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import polars as pl
import pytest
from helpers.commands import call, sentence
from helpers.loglines import line, write_log, write_runs

from lo2core.base.claims import remove_unpacked
from lo2core.base.schemas import Sequences
from lo2core.cli.commands import main
from lo2core.pipeline.commands import COMMANDS
from lo2core.store.workspace import Workspace

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_runs(tmp_path_factory.mktemp("logs"))


@pytest.fixture(scope="module")
def loaded(logs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a bundle `b.joblib` beside it."""
    folder = tmp_path_factory.mktemp("loaded")
    arguments = ["--root", logs, "--output-dir", folder / "ws", "--bundle", folder / "b.joblib"]
    assert main(["run", *map(str, arguments)]) == 0
    return folder


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*") if path.is_file()}


def test_run_leaves_tables_bundle_and_predictions(loaded: Path) -> None:
    names = {"events", "sequences", "ledger", "messages", "counts", "files"}
    assert set(files(loaded / "ws")) == {*(f"lo2_{name}.parquet" for name in names), "b_predictions.parquet"}
    assert set(files(loaded)) == {"b.joblib", "b.json"}


def test_load_says_what_it_found_and_where_it_wrote(
    logs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("load", "--root", logs, "--output-dir", tmp_path, "--jobs", 1) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].startswith("full set: 2 runs, 6 test case folders, 2 services (client, token), 12 logs")
    assert printed[1].startswith("158 lines: 156 events, 2 continuations, 0 orphans, 0 blank, 0 skipped")
    assert printed[2] == "Formats: lo2 in 12 logs."
    assert {Path(path).parent for path in printed[3:]} == {tmp_path}


def test_every_flag_of_load_is_understood(logs: Path, tmp_path: Path) -> None:
    flags = "--runs 2 --single-service client --errors-per-run 1 --single-error-type random --no-duplicates --seed 3"
    more = "--skip-init-lines 2 --window 4 --labels names --jobs 2 --no-save-events"
    assert call("load", "--root", logs, "--output-dir", tmp_path, *flags.split(), *more.split()) == 0
    workspace = Workspace(tmp_path)
    assert not (tmp_path / "lo2_events.parquet").exists()
    assert workspace.read(Sequences)["service"].unique().to_list() == ["client"]
    assert workspace.metadata(Sequences)["options"]["errors_per_run"] == 1


def test_service_types_and_allowed_duplicates(logs: Path, tmp_path: Path) -> None:
    arguments = ["--service-types", "client", "token", "--allow-duplicates", "--save-events"]
    assert call("load", "--root", logs, "--output-dir", tmp_path, *arguments) == 0
    assert Workspace(tmp_path).read(Sequences).height == 12


def test_a_dry_run_shows_the_plan_and_writes_nothing(
    logs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("load", "--root", logs, "--output-dir", tmp_path / "ws", "--dry-run", "--head", 2) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("full set: 2 runs")
    assert "\n  client: 6 logs read well as lo2\n  token: 6 logs read well as lo2\n" in printed
    assert "shape: (2, " in printed
    assert not (tmp_path / "ws").exists()


def test_head_shows_the_first_events(logs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("load", "--root", logs, "--output-dir", tmp_path, "--head", 3) == 0
    assert "shape: (3, " in capsys.readouterr().out


def test_head_says_why_it_shows_nothing(logs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("load", "--root", logs, "--output-dir", tmp_path, "--head", 3, "--no-save-events") == 0
    assert "with --no-save-events none is saved" in capsys.readouterr().err


def test_logs_without_any_event_are_named(logs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    strange = shutil.copytree(logs, tmp_path / "logs")
    write_log(strange / "light-oauth2-data-1719592986" / "correct", "started at noon\n", "key")
    assert call("load", "--root", strange, "--output-dir", tmp_path / "ws") == 0
    printed = capsys.readouterr().out
    assert "1 log not read: logs/light-oauth2-data-1719592986/correct/light-oauth2-oauth2-key" in printed
    assert "(no line is of a known format; the first such line: started at noon)" in printed


def test_a_load_that_is_terminated_leaves_no_unpacked_logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile(tmp_path / "logs.zip", "w", zipfile.ZIP_DEFLATED) as pack:
        pack.writestr("run_1/correct/oauth2-client.log", line("x" * 1000) * 50_000)
    (tmp_path / "temporary").mkdir()
    load = ("load", "--root", tmp_path / "logs.zip", "--output-dir", tmp_path / "ws")
    environment = {**os.environ, "TMPDIR": str(tmp_path / "temporary")}
    with subprocess.Popen(
        [sys.executable, "-m", "lo2core", *map(str, load)], env=environment, stderr=subprocess.PIPE, text=True
    ) as process:
        while process.poll() is None and not list(tmp_path.glob("temporary/lo2-*")):
            time.sleep(0.01)
        process.terminate()
        printed = process.communicate()[1]
    if process.returncode == -signal.SIGKILL:  # on a busy machine it is ended by force, and the next command tidies up
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
        remove_unpacked()
    else:
        assert "stopped; what was finished is kept" in printed
        assert process.returncode in (130, -signal.SIGINT)
    assert not list(tmp_path.glob("temporary/lo2-*"))


def test_nothing_is_overwritten_unasked(logs: Path, loaded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = files(loaded / "ws") | files(loaded)
    workspace, bundle = loaded / "ws", loaded / "b.joblib"
    assert call("load", "--root", logs, "--output-dir", workspace) == 2
    assert call("train", "--output-dir", workspace, "--bundle", bundle) == 2
    assert call("predict", "--output-dir", workspace, "--bundle", bundle, "--predictions", "b_predictions") == 2
    assert call("run", "--root", logs, "--output-dir", workspace, "--bundle", bundle) == 2
    assert files(loaded / "ws") | files(loaded) == before
    assert capsys.readouterr().err.count("already exists and was not changed") == 4


def test_replace_writes_anew(logs: Path, tmp_path: Path) -> None:
    arguments = ["run", "--root", logs, "--output-dir", tmp_path / "ws", "--bundle", tmp_path / "b.joblib"]
    assert call(*arguments) == 0
    first = pl.read_parquet(tmp_path / "ws" / "b_predictions.parquet")
    assert call(*arguments, "--replace") == 0
    assert pl.read_parquet(tmp_path / "ws" / "b_predictions.parquet").equals(first)


def test_append_adds_runs(logs: Path, tmp_path: Path) -> None:
    first, second = sorted(logs.iterdir())
    assert call("load", "--root", first, "--output-dir", tmp_path) == 0
    assert call("load", "--root", second, "--output-dir", tmp_path, "--append") == 0
    assert Workspace(tmp_path).read(Sequences)["run"].n_unique() == 2


def test_several_roots_are_loaded_as_a_shell_expands_them(logs: Path, tmp_path: Path) -> None:
    first, second = sorted(logs.iterdir())
    assert call("load", "--root", first, second, "--output-dir", tmp_path / "one") == 0
    assert call("load", "--root", first, "--root", second, "--output-dir", tmp_path / "two") == 0
    together, apart = (Workspace(tmp_path / name).read(Sequences) for name in ("one", "two"))
    assert together["run"].n_unique() == 2
    assert together.equals(apart)


def test_a_prediction_of_a_sample_is_explained_by_the_name_that_compare_knows(
    logs: Path, loaded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sample = loaded / "ws" / "samples" / "today"
    assert call("load", "--root", logs, "--output-dir", sample, "--runs", 1) == 0
    assert call("predict", "--output-dir", sample, "--bundle", loaded / "b.joblib", "--predictions", "nn") == 0
    assert call("explain", "--output-dir", loaded / "ws", "--predictions", "today/nn") == 0
    report = Path(capsys.readouterr().out.splitlines()[-1])
    assert report.is_relative_to(sample / "explainability" / "nn")


def test_enhance_and_events_go_through(loaded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = tmp_path / "e.joblib"
    assert call("enhance", "--output-dir", loaded / "ws", "--replace") == 0
    recipe = ["--detector", "IsolationForest", "--items", "templates", "--unit", "event", "--budget", 10]
    assert call("train", "--output-dir", loaded / "ws", "--bundle", bundle, *recipe) == 0
    assert call("predict", "--output-dir", loaded / "ws", "--bundle", bundle, "--replace") == 0
    assert [Path(path).name for path in capsys.readouterr().out.splitlines()][-1].startswith("e_predictions")


BROKEN = {
    "no command": ([], "required"),
    "unknown command": (["lod"], "invalid choice: 'lod'"),
    "no root": (["load"], "--root"),
    "unknown flag": (["load", "--root", "{logs}", "--rnus", "2"], "--rnus"),
    "not a number": (["load", "--root", "{logs}", "--runs", "two"], "invalid int value"),
    "no runs": (["load", "--root", "{logs}", "--runs", "0"], "n_runs must be at least 1"),
    "no jobs": (["load", "--root", "{logs}", "--jobs", "0"], "number of jobs must be at least 1"),
    "window": (["load", "--root", "{logs}", "--window", "nan"], "window must be at least"),
    "missing root": (["load", "--root", "{tmp}/nowhere"], "does not exist"),
    "unknown service": (["load", "--root", "{logs}", "--single-service", "clinet"], "Did you mean 'client'"),
    "unknown normal": (["load", "--root", "{logs}", "--normal", "corect*"], "No test case has the name 'corect*'"),
    "unknown fault": (["load", "--root", "{logs}", "--single-error-type", "x"], "no faulty test case 'x'"),
    "nothing loaded": (["train"], "does not exist yet"),
    "nothing to enhance": (["enhance"], "does not exist yet"),
    "unknown detector": (["train", "--detector", "Forest"], "Unknown detector 'Forest'"),
    "unknown items": (["train", "--items", "mesages"], ""),
    "bundle's name": (["train", "--bundle", "{tmp}/model.pkl"], ""),
    "nothing to predict": (["predict", "--bundle", "{tmp}/none.joblib"], "does not exist yet"),
    "trust nothing": (["trust", "{tmp}/none.joblib"], "does not exist"),
    "append to nothing": (["load", "--root", "{logs}", "--append"], "does not exist yet"),
}


@pytest.mark.parametrize("case", sorted(BROKEN))
def test_what_cannot_be_done_is_one_sentence_and_status_2(
    case: str, logs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments, words = BROKEN[case]
    arguments = [argument.format(logs=logs, tmp=tmp_path) for argument in arguments]
    if arguments and arguments[0] in ("load", "train", "enhance", "predict"):
        arguments += ["--output-dir", str(tmp_path / "ws")]
    assert main(arguments) == 2
    printed = capsys.readouterr()
    *progress, sentence = printed.err.splitlines()
    assert sentence.startswith("lo2core: ")
    assert words in sentence
    assert all(told.startswith(("Load 0%", "Train NearestNormal")) for told in progress)


ON_A_WORKSPACE = (
    ("enhance",),
    ("train",),
    ("predict", "--bundle", "b.joblib"),
    ("search", "x"),
    ("explain", "--predictions", "a"),
    ("groups", "--predictions", "a"),
    ("triage", "--predictions", "a", "--group", "1", "--state", "seen"),
    ("compare", "a", "b"),
    ("evaluate",),
    ("artefacts",),
    ("rename", "prediction", "a", "b"),
    ("note", "prediction", "a", "better"),
    ("delete", "prediction", "a"),
    ("restore",),
    ("mcp",),
)


MAKE_A_WORKSPACE = {"load", "score", "run", "watch", "demo", "sample", "dashboard", "trust"}


def test_every_command_makes_a_workspace_or_needs_one() -> None:
    assert {command.stage() for command in COMMANDS} == MAKE_A_WORKSPACE | {command[0] for command in ON_A_WORKSPACE}


@pytest.mark.parametrize("command", ON_A_WORKSPACE, ids=lambda command: command[0])
def test_a_workspace_that_does_not_exist_is_one_helpful_sentence(
    command: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(*command, "--output-dir", tmp_path / "typo") == 2
    assert f"load --root LOGS --output-dir {tmp_path}/typo`, or name another one" in sentence(capsys)
    assert not list(tmp_path.iterdir())
    (tmp_path / "typo").write_text("a file")
    assert call(*command, "--output-dir", tmp_path / "typo") == 2
    assert "is not a folder, so it cannot be a workspace" in sentence(capsys)


def test_an_estimated_threshold_is_said_when_training_and_predicting(
    loaded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = "Estimated threshold: 4 held-out normal incidents are too few for a budget of"
    assert call("train", "--output-dir", loaded / "ws", "--bundle", tmp_path / "new.joblib") == 0
    assert f"{said} 5 in 100" in capsys.readouterr().err
    predict = ("predict", "--output-dir", loaded / "ws", "--bundle", tmp_path / "new.joblib", "--budget")
    assert call(*predict, 2) == 0
    assert f"{said} 2 in 100" in capsys.readouterr().err
    assert call(*predict, 40) == 0
    assert "Estimated" not in capsys.readouterr().err


def test_help_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["load", "--help"])
    assert stop.value.code == 0
    assert "--skip-init-lines" in capsys.readouterr().out


def script(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, ROOT / "demo" / "run_lo2_loader.py", *map(str, arguments)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_the_loader_of_the_note_writes_when_told_to(logs: Path, tmp_path: Path) -> None:
    arguments = ["--root", logs, "--runs", 5, "--single-service", "client", "--output-dir", "demo/result/lo2"]
    looked = script(tmp_path, *arguments, "--head")
    assert (looked.returncode, "shape: (5, " in looked.stdout, list(tmp_path.iterdir())) == (0, True, [])
    wrote = script(tmp_path, *arguments, "--save-parquet")
    assert wrote.returncode == 0, wrote.stderr
    assert (tmp_path / "demo" / "result" / "lo2" / "lo2_events.parquet").exists()


def test_a_new_process_ends_with_status_2_too(tmp_path: Path) -> None:
    write_log(tmp_path, line(), name="notes.md")
    done = script(tmp_path, "--root", tmp_path, "--save-parquet")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("lo2core: No log in")
    assert len(done.stderr.splitlines()) == 1


def test_the_demo_leaves_other_logs_alone_and_finishes_what_broke_off(
    loaded: Path, tmp_path: Path, sample_logs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LO2_MODELS", str(tmp_path / "models"))
    before = files(loaded / "ws")
    assert call("demo", "--output-dir", loaded / "ws") == 2
    assert "contains other logs than the sample (run light-oauth2-data-1719592986)" in sentence(capsys)
    assert files(loaded / "ws") == before
    (tmp_path / "half" / "logs").mkdir(parents=True)
    for run in sorted(path for path in sample_logs.iterdir() if path.is_dir())[:2]:
        (tmp_path / "half" / "logs" / run.name).symlink_to(run)  # two runs say as much as six
    assert (
        call("load", "--root", tmp_path / "half" / "logs", "--output-dir", tmp_path / "half", "--no-save-events") == 0
    )
    assert call("demo", "--output-dir", tmp_path / "half") == 0
    assert set(Workspace(tmp_path / "half").predictions()) == {"sample_nn_predictions", "sample_oov_predictions"}
