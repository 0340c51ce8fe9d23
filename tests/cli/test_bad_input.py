"""Bad input, the whole way through: each a clear error or a right result."""

from __future__ import annotations

import os
import shutil
import zipfile
from pathlib import Path

import polars as pl
import pytest
from helpers.commands import call, sentence
from helpers.loglines import line, write_log, write_runs

from lo2core.base.schemas import Counts, Events, Ledger, Predictions, Sequences
from lo2core.store.workspace import Workspace


def run(logs: Path, folder: Path, *more: object) -> int:
    return call("run", "--root", logs, "--output-dir", folder / "ws", "--bundle", folder / "b.joblib", *more)


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    return write_runs(tmp_path / "logs")


def test_empty_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    assert run(tmp_path / "empty", tmp_path) == 2
    assert "found no file" in sentence(capsys)
    assert not list((tmp_path / "ws").glob("*.parquet"))


def test_no_correct_case(logs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for folder in logs.glob("*/correct*"):
        shutil.rmtree(folder)
    assert run(logs, tmp_path) == 2
    assert "at least two normal test cases, found 0 (test cases: get_client_404_no_client)" in sentence(capsys)
    assert Workspace(tmp_path / "ws").has(Events)


def test_one_run_only(logs: Path, tmp_path: Path) -> None:
    assert run(sorted(logs.iterdir())[0], tmp_path) == 0
    found = Workspace(tmp_path / "ws").read(Predictions, "b_predictions")
    assert found["test_case"][0] == "get_client_404_no_client"


def test_one_run_with_one_normal_test_case(tmp_path: Path) -> None:
    logs = write_runs(tmp_path / "logs", runs=1, normals=1)
    assert run(logs, tmp_path) == 0
    assert Workspace(tmp_path / "ws").read(Predictions, "b_predictions").height == 4


def test_nothing_but_one_normal_test_case(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_log(tmp_path / "logs" / "run_1" / "correct", line())
    assert run(tmp_path / "logs", tmp_path) == 2
    assert "at least two normal test cases, found 1" in sentence(capsys)


def test_empty_logs(logs: Path, tmp_path: Path) -> None:
    for log in logs.glob("*/correct_1/*client*"):
        log.write_bytes(b"")
    write_log(sorted(logs.iterdir())[0] / "silent_400", "")
    assert run(logs, tmp_path) == 0
    workspace = Workspace(tmp_path / "ws")
    assert (workspace.read(Ledger)["status"] == "empty").sum() == 3
    assert workspace.read(Sequences).filter(events=0).height == 3
    assert workspace.read(Predictions, "b_predictions").height == workspace.read(Sequences).height


def test_nothing_but_empty_logs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for run_name in ("run_1", "run_2"):
        write_log(tmp_path / "logs" / run_name / "correct", "")
    assert run(tmp_path / "logs", tmp_path) == 2
    assert "contain no messages" in sentence(capsys)


@pytest.mark.parametrize("window", [(), ("--window", 3)])
def test_nul_bytes_latin_1_utf_16_and_other_line_ends(tmp_path: Path, window: tuple[object, ...]) -> None:
    logs = write_runs(tmp_path / "logs")
    folder = sorted(logs.iterdir())[0] / "correct"
    write_log(folder, line("a\0b").encode() + b"\0\0\n", "key")
    write_log(folder, line("caf\xe9 zu").encode("latin-1"), "code")
    write_log(folder, line("sechzehn").encode("utf-16"), "user")
    write_log(folder, line("dos").replace("\n", "\r\n"), "service")
    write_log(folder, bytes(range(256)) * 3, "refresh-token")
    assert run(logs, tmp_path, *window) == 0
    workspace = Workspace(tmp_path / "ws")
    texts = dict(
        workspace.read(Events)
        .filter(pl.col("service").is_in(["key", "code", "user", "service"]))
        .select("service", "m_message")
        .iter_rows()
    )
    assert texts == {"key": "a␀b\n␀␀", "code": "café zu", "user": "sechzehn", "service": "dos"}
    ledger = workspace.read(Ledger)
    assert ledger.filter(service="code")["invalid_bytes"].item() == 1
    assert ledger["bytes"].sum() == sum(path.stat().st_size for path in logs.rglob("*.log"))


NAMES = ["with space", 'it\'s "quoted"', "a__b__c", "ärger-日志", "semi;colon & co", "-dash", "50%"]


def test_odd_names(tmp_path: Path) -> None:
    logs = tmp_path / "lo gs"
    for run_name in NAMES:
        for case in ("correct", *NAMES):
            write_log(logs / run_name / case, line("one") + line("two"))
    assert run(logs, tmp_path) == 0
    found = Workspace(tmp_path / "ws").read(Predictions, "b_predictions")
    assert set(found["run"]) == set(NAMES)
    assert set(found["folder"]) == {"correct", *NAMES}
    assert found["score"].null_count() == 0


def test_names_that_are_not_utf8(tmp_path: Path) -> None:
    logs = write_runs(tmp_path / "logs")
    folder = sorted(logs.iterdir())[0] / "correct_1"
    folder.rename(os.fsdecode(os.fsencode(folder.parent) + b"/correct_caf\xe9"))
    assert run(logs, tmp_path) == 0
    assert "correct_caf\\udce9" in set(Workspace(tmp_path / "ws").read(Sequences)["folder"])


@pytest.mark.parametrize("member", ["../../evil.log", "/tmp/evil.log"])
def test_zip_that_climbs(tmp_path: Path, member: str, capsys: pytest.CaptureFixture[str]) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as pack:
        pack.writestr(member, line())
    assert run(tmp_path / "x.zip", tmp_path) == 2
    assert "was not unpacked" in sentence(capsys)


def test_zip_made_on_a_mac(tmp_path: Path) -> None:
    logs = write_runs(tmp_path / "logs")
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as pack:
        for path in logs.rglob("*.log"):
            name = path.relative_to(tmp_path)
            pack.write(path, name)
            pack.writestr(f"__MACOSX/{name.parent}/._{name.name}", b"\0\5\x16\7")
    assert run(tmp_path / "x.zip", tmp_path) == 0
    assert Workspace(tmp_path / "ws").read(Sequences).height == 12


def test_truncated_bundle(logs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(logs, tmp_path) == 0
    bundle = tmp_path / "b.joblib"
    bundle.write_bytes(bundle.read_bytes()[:-100])
    capsys.readouterr()
    assert call("predict", "--output-dir", tmp_path / "ws", "--bundle", bundle) == 2
    assert "changed by hand and was not opened" in sentence(capsys)
    assert call("trust", bundle) == 2
    assert "truncated" in sentence(capsys)


def test_bundle_signed_with_another_key(
    logs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(logs, tmp_path) == 0
    monkeypatch.setenv("LO2_SIGNING_KEY_FILE", str(tmp_path / "other.key"))
    capsys.readouterr()
    predict = ("predict", "--output-dir", tmp_path / "ws", "--bundle", tmp_path / "b.joblib")
    assert call(*predict) == 2
    assert f"python -m lo2core trust {tmp_path / 'b.joblib'}" in sentence(capsys)
    assert call("trust", tmp_path / "b.joblib") == 0
    assert call(*predict) == 0


@pytest.mark.parametrize("schema", [Events, Sequences, Counts])
def test_tables_without_the_needed_columns(
    logs: Path, tmp_path: Path, schema: type, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(logs, tmp_path) == 0
    path = Workspace(tmp_path / "ws").path(schema)
    pl.read_parquet(path).drop("seq_id").write_parquet(path)
    capsys.readouterr()
    command = "enhance" if schema is Events else "predict"
    more = () if schema is Events else ("--bundle", tmp_path / "b.joblib")
    assert call(command, "--output-dir", tmp_path / "ws", *more) == 2
    assert "lacks the columns seq_id (got " in sentence(capsys)


def test_table_that_is_no_table(logs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(logs, tmp_path) == 0
    Workspace(tmp_path / "ws").path(Counts).write_bytes(b"PAR1 nonsense")
    capsys.readouterr()
    assert call("predict", "--output-dir", tmp_path / "ws", "--bundle", tmp_path / "b.joblib") == 2
    assert "lo2_counts.parquet is damaged or not a lo2core table" in sentence(capsys)


def test_log_that_vanishes_between_plan_and_reading(tmp_path: Path) -> None:
    from lo2core.base.errors import InputError
    from lo2core.load.loader import load_folders
    from lo2core.load.plan import LoadOptions, plan
    from lo2core.messages.masks import Masker

    path = write_log(tmp_path / "run_1" / "correct", line())
    found = plan([tmp_path])
    path.unlink()
    with pytest.raises(InputError, match="cannot be read: No such file"):
        list(load_folders(found, LoadOptions(), Masker()))


def test_output_that_is_a_file(logs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "ws").write_text("in the way")
    assert call("load", "--root", logs, "--output-dir", tmp_path / "ws") == 2
    assert str(tmp_path / "ws") in sentence(capsys)


@pytest.mark.parametrize("what", ["loop", "name too long", "device"])
@pytest.mark.parametrize(
    "command", [("enhance",), ("compare", "a", "b"), ("explain", "--predictions", "nn"), ("train",), ("evaluate",)]
)
def test_a_workspace_that_no_folder_can_be(
    tmp_path: Path, what: str, command: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    place = {"loop": tmp_path / "loop", "name too long": tmp_path / ("x" * 300), "device": Path("/dev/null")}[what]
    (tmp_path / "loop").symlink_to("loop")
    assert call(*command, "--output-dir", place) == 2
    assert sentence(capsys)
