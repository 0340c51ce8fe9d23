"""Values, names and files that cannot work, on the command line: one sentence each, and nothing lost."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import polars as pl
import pytest
from helpers.commands import call, sentence
from helpers.loglines import line, write_log, write_runs

from lo2core.base.schemas import Events, Ledger, Predictions, Sequences
from lo2core.cli import commands
from lo2core.pipeline.bundles import open_bundle
from lo2core.pipeline.signals import INTERRUPTED, STOPPED
from lo2core.store.workspace import Workspace


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `logs`, the workspace `ws` made of them by `nn.joblib` and `if.joblib`, and its scores."""
    folder = tmp_path_factory.mktemp("misuse")
    logs = write_runs(folder / "logs")
    assert call("run", "--root", logs, "--output-dir", folder / "ws", "--bundle", folder / "nn.joblib") == 0
    forest = ("--detector", "IsolationForest", "--bundle", folder / "if.joblib", "--output-dir", folder / "ws")
    assert call("train", *forest) == 0
    assert call("predict", *forest[2:]) == 0
    return folder


@pytest.fixture
def home(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of `made` to spoil, which is the working folder."""
    monkeypatch.chdir(shutil.copytree(made, tmp_path / "home"))
    return tmp_path / "home"


PREDICT = ("predict", "--output-dir", "ws", "--bundle", "nn.joblib")
EVENTS_OF_REQUESTS = ("--unit", "event", "--items", "requests", "--detector", "OutOfVocabulary")


@pytest.mark.parametrize(
    ("root", "workspace", "said"),
    [
        ("s3://bucket/logs", "new", "s3://bucket/logs is a URL, and logs are read from folders: mount it"),
        ("logs", "gs://bucket/ws", "gs://bucket/ws cannot be a workspace: it is a URL"),
        ("logs", "sftp://host/ws/", "sftp://host/ws cannot be a workspace: it is a URL"),
    ],
)
def test_a_url_is_refused(home: Path, root: str, workspace: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(home.iterdir())
    assert call("load", "--root", root, "--output-dir", workspace) == 2
    assert said in sentence(capsys)
    assert sorted(home.iterdir()) == before


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ((*PREDICT, "--budget", "nan"), "0 or more and below 100; found nan"),
        ((*PREDICT, "--budget", "inf"), "0 or more and below 100; found inf"),
        ((*PREDICT, "--budget", "-500"), "0 or more and below 100; found -500"),
        ((*PREDICT, "--budget", "100"), "0 or more and below 100; found 100"),
        ((*PREDICT, "--predictions", "lo2_events", "--replace"), "lo2_events is the name of another table"),
        (("compare", "nn_predictions", "nn_predictions", "--output-dir", "ws"), "nn_predictions is named twice"),
        (("compare", "nn_predictions", "--output-dir", "ws"), "at least two predictions, found 1"),
        (("compare", "a", "b", "--output-dir", "nn.joblib"), "nn.joblib is not a folder, so it cannot be"),
        (("explain", "--output-dir", "ws", "--predictions", "nn_predictions", "--top", "0"), "at least 1, found '0'"),
        (("explain", "--output-dir", "ws", "--predictions", "nn_predictions", "--incident", "a/b/" + "9" * 30), "run/"),
        (("load", "--root", "logs", "--output-dir", "other", "--head", "-1"), "at least 1, found '-1'"),
        (("evaluate", "--output-dir", "ws", "--fault-groups", "0"), "at least two groups, found 0"),
        (("sample", "--output-dir", "nn.joblib/inside"), "The sample cannot be written"),
        (("demo", "--output-dir", "nn.joblib"), "cannot be a workspace"),
        (("enhance", "--output-dir", "ws", "--mask", "all", ".*", ""), "its pattern matches the empty text"),
        (
            ("train", "--output-dir", "ws", "--bundle", "x.joblib", *EVENTS_OF_REQUESTS),
            "messages, templates, trigrams, w",
        ),
        (
            ("evaluate", "--output-dir", "ws", *EVENTS_OF_REQUESTS),
            "Single events contain no requests. Valid names: messages",
        ),
        (("run", "--root", "logs", "--output-dir", "other", "--items", "nope"), "Unknown items 'nope'"),
        (("run", "--root", "logs", "--output-dir", "other", "--labels", "none"), "nothing can be trained"),
        (
            ("load", "--root", "logs", "--single-service", "a", "--service-types", "b"),
            "not allowed with argument --single",
        ),
        (("load", "--root", "logs\udcff", "--output-dir", "other"), "is a name that is not UTF-8"),
    ],
)
def test_what_cannot_work_is_said_in_one_sentence(
    home: Path, capsys: pytest.CaptureFixture[str], command: tuple[str, ...], said: str
) -> None:
    tables = {path.name: path.read_bytes() for path in Path("ws").glob("*.parquet")}
    assert call(*command) == 2
    assert said in sentence(capsys)
    assert {path.name: path.read_bytes() for path in Path("ws").glob("*.parquet")} == tables
    assert not Path("other").exists()


def test_unlabelled_logs_can_be_neither_evaluated_nor_trained_on(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("load", "--root", "logs", "--output-dir", "bare", "--labels", "none") == 0
    capsys.readouterr()
    assert call("evaluate", "--output-dir", "bare") == 2
    assert "none of these is labelled" in sentence(capsys)
    assert call("train", "--output-dir", "bare", "--bundle", "bare.joblib") == 2
    assert "None of these logs says whether it is normal" in sentence(capsys)


def test_faults_of_one_run_alone_cannot_teach_a_supervised_detector(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = sorted(Path("logs").iterdir())
    for run in runs[1:]:
        for fault in set(run.iterdir()) - set(run.glob("correct*")):
            shutil.rmtree(fault)
    assert call("load", "--root", "logs", "--output-dir", "one") == 0
    capsys.readouterr()
    assert call("train", "--output-dir", "one", "--detector", "LogisticRegression", "--bundle", "lr.joblib") == 2
    said = sentence(capsys)
    assert "needs faults in two runs or more" in said
    assert f"all faults are of {runs[0].name}" in said


def test_a_pattern_that_is_none_is_refused(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("concerns.csv").write_text("pattern,service\n[,client\n")
    assert call("evaluate", "--output-dir", "ws", "--concerns", "concerns.csv") == 2
    assert "concerns.csv" in sentence(capsys)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("seq_id,m_message,m_timestamp\na,started,notatime\n", "m_timestamp contains 'notatime'"),
        ("seq_id,m_message,m_timestamp\na,started,17000\n", "m_timestamp contains '17000'"),
        ("seq_id,m_message\n", "has no rows"),
        ("seq_id,m_message,anomaly\na,started,perhaps\n", "contains the label 'perhaps'"),
    ],
)
def test_tables_with_values_that_cannot_be_understood(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str, said: str
) -> None:
    (tmp_path / "table.csv").write_text(content)
    assert call("load", "--root", tmp_path / "table.csv", "--output-dir", tmp_path / "ws") == 2
    assert said in sentence(capsys)


def test_our_own_events_can_be_loaded_as_a_table(home: Path) -> None:
    assert call("load", "--root", "ws/lo2_events.parquet", "--output-dir", "again") == 0
    assert Workspace("again").read(Events).height == Workspace("ws").read(Events).height


def test_the_ledger_keeps_both_of_two_folders_of_the_same_name(tmp_path: Path) -> None:
    first, second = write_runs(tmp_path / "one" / "logs"), write_runs(tmp_path / "two" / "logs")
    for run in second.iterdir():
        run.rename(run.with_name(run.name[:-1] + "9"))
    assert call("load", "--root", first, "--output-dir", tmp_path / "ws") == 0
    assert call("load", "--root", second, "--output-dir", tmp_path / "ws", "--append") == 0
    ledger, sequences = (Workspace(tmp_path / "ws").read(schema) for schema in (Ledger, Sequences))
    files = [path for root in (first, second) for path in root.rglob("*.log")]
    assert ledger["lines"].sum() == sum(path.read_bytes().count(b"\n") for path in files)
    assert ledger["events"].sum() == sequences["events"].sum()
    events = Workspace(tmp_path / "ws").read(Events)
    assert set(events["source"]) == set(ledger.filter(pl.col("events") > 0)["source"])


def test_masks_that_were_added_can_be_forgotten(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mask = ("enhance", "--output-dir", "ws", "--mask", "mine", "started", "<S>")
    before = Path("ws/lo2_messages.parquet").read_bytes()
    assert call(*mask) == 2
    assert "use --replace to mask them again" in sentence(capsys)
    assert Path("ws/lo2_messages.parquet").read_bytes() == before
    assert call(*mask, "--replace") == 0
    capsys.readouterr()
    assert call(*PREDICT, "--predictions", "masked") == 2
    assert "load --replace --like" in sentence(capsys)
    assert call("load", "--root", "logs", "--output-dir", "ws", "--replace", "--default-masks") == 0
    assert call(*PREDICT, "--predictions", "masked") == 0


def test_a_stray_date_does_not_make_millions_of_windows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "logs" / "run_1" / "correct"
    write_log(folder, line(time="12:00:00.000") + line(time="12:00:06.000"))
    write_log(folder, "2026-11-23 12:00:03.000 [main]  z ERROR a.B m - dated\n", "token")
    assert call("load", "--root", tmp_path / "logs", "--output-dir", tmp_path / "ws", "--window", "2") == 2
    assert "Look for a wrong date" in sentence(capsys)


def test_lines_without_a_date_take_it_from_those_that_have_one(tmp_path: Path) -> None:
    dated = "2026-11-23 12:00:03.000 [main]  z ERROR a.B m - dated\n"
    log = line(time="12:00:00.000") + dated + line(time="12:00:06.000")
    write_log(tmp_path / "logs" / "run_1" / "correct", log)
    assert call("load", "--root", tmp_path / "logs", "--output-dir", tmp_path / "ws") == 0
    stamps = Workspace(tmp_path / "ws").read(Events)["m_timestamp"].dt.to_string("%F %T")
    assert stamps.to_list() == ["2026-11-23 12:00:00", "2026-11-23 12:00:03", "2026-11-23 12:00:06"]


def test_a_bundle_takes_no_other_files_place(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("notes.json").write_text(json.dumps({"mine": 1}))
    assert call("train", "--output-dir", "ws", "--bundle", "notes.joblib") == 2
    assert "notes.json is not a lo2core manifest" in sentence(capsys)
    assert json.loads(Path("notes.json").read_text()) == {"mine": 1}


def test_a_mistyped_workspace_leaves_no_folder_behind(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("train", "--output-dir", "wss", "--bundle", "new.joblib") == 2
    assert "wss" in sentence(capsys)
    assert not Path("wss").exists()


def test_events_that_were_not_saved_are_asked_for_with_what_makes_them(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("load", "--root", "logs", "--output-dir", "counts", "--no-save-events") == 0
    capsys.readouterr()
    assert call("enhance", "--output-dir", "counts") == 2
    assert "Load them again with --replace" in sentence(capsys)


def test_scores_of_no_row_cannot_be_explained(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workspace = Workspace("ws")
    unscored = workspace.read(Predictions, "nn_predictions").with_columns(
        pl.lit(None).cast(pl.Float64).alias(name) for name in ("score", "z_score", "p_value")
    )
    workspace.write(Predictions, unscored, name="none", provenance=workspace.metadata("nn_predictions"))
    assert call("explain", "--output-dir", "ws", "--predictions", "none") == 2
    assert "No row has a score" in sentence(capsys)


def test_scores_of_another_model_are_explained_with_a_word(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ("explain", "--output-dir", "ws", "--predictions", "nn_predictions", "--bundle", "if.joblib")
    assert call(*command) == 0
    assert "was made by another model than if.joblib" in capsys.readouterr().err


def test_damaged_events_are_pointed_out(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = Path("ws/lo2_events.parquet")
    data = bytearray(path.read_bytes())
    data[100 : len(data) // 2] = bytes(len(data) // 2 - 100)
    path.write_bytes(data)
    assert call("explain", "--output-dir", "ws", "--predictions", "nn_predictions") == 2
    assert "lo2_events.parquet is damaged" in sentence(capsys)


def test_the_training_logs_may_be_gone(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("train", "--output-dir", "ws", "--bundle", "nn.joblib", "--replace") == 0
    run = sorted(Path("logs").iterdir())[0]
    today = ("--output-dir", "ws/samples/today")
    assert call("load", "--root", run, *today, "--labels", "none") == 0
    assert call("predict", *today, "--bundle", "nn.joblib", "--predictions", "scored") == 0
    shutil.move(run, "elsewhere")
    assert call("load", "--root", "logs", "--output-dir", "ws", "--replace") == 0
    capsys.readouterr()
    assert call("explain", *today, "--predictions", "scored") == 0
    printed = capsys.readouterr()
    assert "The training logs of this model are missing" in printed.err
    assert "?" not in printed.out.partition("top items")[2].partition("lines in")[0]
    assert open_bundle("nn.joblib").manifest["facts"]["workspace"].startswith("/")


def test_a_signal_before_the_work_ends_a_command_tidily(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(**_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(commands, "end_on_signals", stopped)
    with pytest.raises(SystemExit) as ended:
        commands.run_as_program()
    assert ended.value.code == INTERRUPTED
    assert capsys.readouterr().err == f"{STOPPED}\n"
