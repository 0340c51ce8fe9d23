"""Overview, Load and Enhance, run by Streamlit without a browser; jobs are real."""

from __future__ import annotations

import gzip
import io
import json
import shlex
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from helpers.pageverbs import commands, dashboard_in, page, press, texts, wait_for_job
from streamlit.testing.v1 import AppTest

from lo2core.base.schemas import Events, Sequences
from lo2core.cli.options import parse
from lo2core.load.plan import LoadOptions
from lo2core.messages.secrets import masked_text
from lo2core.pipeline import jobs, search
from lo2core.pipeline.commands import Load
from lo2core.pipeline.line_filter import LineFilter
from lo2core.pipeline.load import load_logs
from lo2core.pipeline.watch import slot
from lo2core.store.workspace import Workspace
from lo2core.ui.load import explorer, results, uploads
from lo2core.ui.load.form import Request
from lo2core.ui.load.preview import Logs

LINE = "10:00:00.000 [t]  c INFO  a.B c - d\n"


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    return dashboard_in(tmp_path, monkeypatch)


@pytest.fixture(scope="module")
def one_run(tmp_path_factory: pytest.TempPathFactory, sample_logs: Path) -> Path:
    folder = tmp_path_factory.mktemp("one-run")
    load_logs(Workspace(folder), [sample_logs], LoadOptions(n_runs=1), jobs=1)
    return folder


@pytest.fixture
def loaded(workspace: Workspace, one_run: Path) -> Workspace:
    shutil.copytree(one_run, workspace.root)
    return workspace


def packed(folder: Path, run: Path) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as pack:
        for path in run.glob("correct/*"):
            pack.write(path, path.relative_to(folder))
    return buffer.getvalue()


def test_an_empty_workspace_offers_the_sample_and_ones_own_logs(workspace: Workspace) -> None:
    app = page()
    assert {"Try the sample", "Load my logs"} <= {button.label for button in app.button}
    assert not app.exception


def test_a_folder_is_planned_before_it_is_loaded(workspace: Workspace, sample_logs: Path) -> None:
    app = page("pages/1_Load.py")
    app.text_input(key="load-folder").input(str(sample_logs)).run()
    assert "full set: 6 runs" in texts(app)
    app.number_input[0].set_value(1).run()
    assert "full set: 1 run," in texts(app)
    wanted = ["load", "--root", sample_logs, "--runs", 1, "--output-dir", workspace.root]
    assert commands(app) == [list(map(str, wanted))]
    press(app, "Load")
    wait_for_job(workspace)
    assert workspace.read(Sequences)["run"].n_unique() == 1
    assert "Account of all lines" in texts(app.run())


def test_a_folder_without_logs_is_told_calmly(workspace: Workspace, tmp_path: Path) -> None:
    app = page("pages/1_Load.py")
    app.text_input(key="load-folder").input(str(tmp_path / "[no](x)")).run()
    assert "does not exist" in texts(app)
    assert next(button for button in app.button if button.label == "Load").disabled
    assert not app.exception


def test_a_table_of_events_says_what_it_holds_before_and_after_loading(loaded: Workspace, tmp_path: Path) -> None:
    events = loaded.read(Events)
    events.write_parquet(tmp_path / "[mine].parquet")
    app = page("pages/1_Load.py")
    app.text_input(key="load-folder").input(str(tmp_path / "[mine].parquet")).run()
    services = ", ".join(sorted(events["service"].unique()))
    sequences = events["seq_id"].n_unique()
    assert f": {sequences} sequences, 7 services ({services}), {events.height:,} events, " in texts(app)
    app.segmented_control(key="load-into-this workspace").set_value("a new sample").run()
    press(app, "Load")
    wait_for_job(loaded)
    figures = {metric.label: metric.value for metric in app.run().metric}
    assert figures["sequences"] == str(sequences)
    assert "test cases" not in figures


def test_a_table_without_events_is_refused_before_it_is_loaded(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "scores.csv").write_text("seq_id,score\na,1\n")
    app = page("pages/1_Load.py")
    app.text_input(key="load-folder").input(str(tmp_path / "scores.csv")).run()
    assert "has no column m_message" in texts(app)
    assert next(button for button in app.button if button.label == "Load").disabled


@pytest.mark.parametrize("typed", ["x" * 300, "~no body/logs"])
def test_a_path_that_cannot_be_one_is_told_calmly(workspace: Workspace, typed: str) -> None:
    app = page("pages/1_Load.py")
    app.text_input(key="load-folder").input(typed).run()
    assert not app.exception
    assert next(button for button in app.button if button.label == "Load").disabled


def test_an_archive_below_the_home_folder_is_planned(
    workspace: Workspace, sample_logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    run = max(path for path in sample_logs.iterdir() if path.is_dir())
    (tmp_path / "today.zip").write_bytes(packed(sample_logs, run))
    app = page("pages/1_Load.py")
    app.text_input(key="load-folder").input("~/today.zip").run()
    assert "full set: 1 run, 1 test case folder" in texts(app)


def test_an_upload_becomes_a_sample_beside_the_workspace(loaded: Workspace, sample_logs: Path) -> None:
    run = max(path for path in sample_logs.iterdir() if path.is_dir())
    app = page("pages/1_Load.py")
    app.segmented_control(key="load-from").set_value("upload").run()
    app.file_uploader[0].upload("notes.pdf", b"%PDF").run()
    assert "notes.pdf was not uploaded: files that end in .pdf are not read." in texts(app)
    app.file_uploader[0].upload("../to day.zip", packed(sample_logs, run)).run()
    assert "notes.pdf" not in texts(app)
    assert app.segmented_control(key="load-into-a new sample").value == "a new sample"
    kept = loaded.root / "uploads" / "to_day" / "to_day.zip"
    assert kept.is_file()
    wanted = ["load", "--root", kept, "--labels", "none", "--output-dir", loaded.sample("to_day").root]
    assert commands(app) == [list(map(str, wanted))]
    press(app, "Load")
    wait_for_job(loaded)
    sequences = loaded.sample("to_day").read(Sequences)
    assert sequences["run"].unique().to_list() == [run.name]
    assert sequences["normal"].null_count() == sequences.height
    shown = next(box for box in app.run().selectbox if box.label == "Loaded logs")
    assert shown.value == "to_day"


def test_a_sample_keeps_its_name_when_cancelled_and_is_shown_when_loaded(loaded: Workspace, sample_logs: Path) -> None:
    shutil.copytree(loaded.root, loaded.sample("earlier").root, ignore=shutil.ignore_patterns("samples"))
    app = page("pages/1_Load.py")
    app.text_input(key="load-folder").input(str(max(sample_logs.glob("light*")))).run()
    app.segmented_control(key="load-into-this workspace").set_value("a new sample").run()
    next(field for field in app.text_input if field.label == "Name of the sample").input("fresh").run()
    press(app, "Load")
    jobs.cancel(loaded)
    app.run()
    assert commands(app)[-1][-1] == str(loaded.sample("fresh").root)
    press(app, "Load")
    wait_for_job(loaded)
    app.run()
    assert next(box for box in app.selectbox if box.label == "Loaded logs").value == "fresh"


def test_what_is_there_is_replaced_only_after_a_question(loaded: Workspace, sample_logs: Path) -> None:
    app = page("pages/1_Load.py")
    app.text_input(key="load-folder").input(str(sample_logs)).run()
    app.segmented_control(key="load-how").set_value("replace all").run()
    press(app, "Load")
    assert not jobs.status(loaded).running
    assert f"The logs in {loaded.root} will be replaced" in texts(app)


@pytest.mark.parametrize(("name", "pack"), [("cart.log", bytes), ("cart.log.gz", gzip.compress)])
def test_a_log_that_is_not_lo2s_is_named_by_its_file_unless_another_service_is_typed(
    workspace: Workspace, tmp_path: Path, name: str, pack: Callable[[bytes], bytes]
) -> None:
    (tmp_path / name).write_bytes(pack(LINE.encode()))
    app = page("pages/1_Load.py")
    app.text_input(key="load-folder").input(str(tmp_path / name)).run()
    assert "1 service (cart)" in texts(app)
    assert "--service" not in texts(app)
    app.text_input(key="load-service").input("payment").run()
    assert "--service payment" in texts(app)
    assert "1 service (payment)" in texts(app)


def test_names_and_lines_are_shown_before_they_are_loaded(workspace: Workspace, tmp_path: Path) -> None:
    for case in ("baseline_a", "broken"):
        folder = tmp_path / "shop" / "monday"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"cart@{case}.log").write_text("<w> 2024-06-28 16:40:52 stock is low\n" * 3)
    app = page("pages/1_Load.py")
    app.text_input(key="load-folder").input(str(tmp_path / "shop")).run()
    app.text_input(key="load-layout").input("{run}/{service}@{test_case}.log").run()
    app.multiselect(key="load-normal").set_value(["baseline*"]).run()
    app.text_input(key="load-format").input(r"^<(?P<level>\w)> {stamp} {message}").run()
    assert not app.exception
    names, events = (table.value for table in app.dataframe[:2])
    assert names[["run", "test case", "service", "label"]].values.tolist() == [
        ["monday", "baseline_a", "cart", "normal"],
        ["monday", "broken", "cart", "faulty"],
    ]
    assert events[["time", "level", "message"]].values.tolist()[0] == [
        "2024-06-28 16:40:52.000",
        "WARN",
        "stock is low",
    ]
    (command,) = (one for one in commands(app) if one[0] == "load")
    assert "--layout" in command and "--normal" in command and "--format" in command
    app.multiselect(key="load-normal").set_value(["baselin_*"]).run()
    assert "No test case has the name 'baselin_*', given as normal. Valid names: baseline_a, broken." in texts(app)
    app.multiselect(key="load-normal").set_value(["baseline*"]).run()
    app.text_input(key="load-layout").input("{day}.log").run()
    assert "it needs {service}" in texts(app)


def test_a_pattern_is_proposed_for_the_log_that_is_not_understood(workspace: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "shop" / "correct"
    folder.mkdir(parents=True)
    (folder / "auth.log").write_text("2024-06-28 16:40:52,123 INFO [main] a.Auth: fine\n" * 9)
    (folder / "payment.log").write_text("@@ 2024-06-28 16:40:52 <warn> low\n" * 9)
    app = page("pages/1_Load.py")
    app.text_input(key="load-folder").input(str(tmp_path / "shop")).run()
    app = press(app, "Propose")
    assert not app.exception
    assert app.text_input(key="load-format").value == "^@@ {stamp} <{level}> {message}"


def test_the_service_of_a_log_is_asked_above_lines_with_a_filter_of_services(loaded: Workspace, tmp_path: Path) -> None:
    (tmp_path / "app.log").write_text(LINE)
    app = page("pages/1_Load.py")
    app.text_input(key="load-folder").input(str(tmp_path / "app.log")).run()
    assert not app.exception
    assert "Unexpected error" not in texts(app)
    assert app.multiselect(key="lines-services").label == app.text_input(key="load-service").label


def shown_lines(app: AppTest, key: str = "lines-list") -> dict[str, Any]:
    """The data of a list of lines."""
    return next(
        json.loads(one.proto.json) for one in app.get("bidi_component") if str(one.proto.id).endswith(f"-{key}")
    )


def values_of(app: AppTest, column: str) -> set[str]:
    return {row["values"].get(column, "") for row in shown_lines(app)["rows"]}


def test_lines_are_filtered_by_search_and_service(loaded: Workspace) -> None:
    app = page("pages/1_Load.py")
    app.text_input(key="lines-text").input("not_found").run()
    app.multiselect(key="lines-services").set_value(["client"]).run()
    assert app.query_params["lines"] == "not_found --service client"
    assert values_of(app, "service") == {"client"}
    assert all("\ue000" in row["raw"] for row in shown_lines(app)["rows"])
    assert ["search", "not_found", "--service", "client", "--output-dir", str(loaded.root)] in commands(app)
    found = search.count_lines(loaded, LineFilter(text="not_found", services=("client",)))
    assert f"{found:,} events" in texts(app)


def test_a_link_shows_exactly_its_lines(loaded: Workspace) -> None:
    event = loaded.read(Events).filter(level="ERROR").row(0, named=True)
    app = page("pages/1_Load.py")
    app.query_params["lines"] = "--level ERROR --exclude service=client --since 1970-01-02"
    app.query_params["columns"] = "run,folder,raw"
    app.query_params["around"] = f"{event['line_no']}:{event['seq_id']}"
    app.run()
    assert not app.exception
    assert [column["name"] for column in shown_lines(app)["columns"]] == ["run", "folder", "raw"]
    assert {row["severity"] for row in shown_lines(app)["rows"]} == {"error"}
    marked = [row for row in shown_lines(app, "lines-around")["rows"] if row["marked"]]
    assert len(marked) == 1 and event["m_message"].split("\n")[0] in marked[0]["raw"]
    app.multiselect(key="lines-others").set_value([]).run()
    assert app.query_params["lines"] == "--level ERROR"
    app.query_params["lines"] = "--nonsense '"
    assert "The filter was left out." in texts(app.run())


def test_a_pattern_that_is_not_finished_stays_in_its_field(loaded: Workspace) -> None:
    app = page("pages/1_Load.py")
    app.query_params["lines"] = "'user (' --regex --service token"
    app.run()
    assert "is not a valid regular expression" in texts(app)
    assert app.text_input(key="lines-text").value == "user ("
    assert app.multiselect(key="lines-services").value == ["token"]


def test_a_page_that_is_no_longer_there_is_the_first(loaded: Workspace) -> None:
    app = page("pages/1_Load.py")
    app.query_params["at"] = "99999"
    assert len(shown_lines(app.run())["rows"]) == explorer.PAGE


def test_filtered_lines_are_exported_without_secrets(loaded: Workspace) -> None:
    wanted = LineFilter(levels=("ERROR",))
    lines = search.count_lines(loaded, wanted)
    table = pl.read_csv(explorer.as_csv(loaded, wanted, secrets=False))
    assert table.height == lines and table["raw"].str.contains("ERROR").all()
    text = explorer.as_text(loaded, wanted, secrets=False).decode()
    assert text.count("ERROR") >= lines
    whole = explorer.as_text(loaded, LineFilter(), secrets=True).decode()
    assert explorer.as_text(loaded, LineFilter(), secrets=False).decode() == masked_text(whole)


@pytest.mark.parametrize(
    ("mark", "where"),
    [
        ({"folder": "delete_token_404"}, pl.col("folder") == "delete_token_404"),
        ({"service": "token"}, (pl.col("service") == "token") & (pl.col("level") == "ERROR")),
    ],
)
def test_a_click_on_a_band_or_an_error_tick_shows_its_lines(
    loaded: Workspace, mark: dict[str, str], where: pl.Expr
) -> None:
    run = loaded.read(Sequences)["run"][0]
    app = page("pages/1_Load.py")
    app.query_params["lines"] = results.filter_of({"run": run, **mark}).as_typed()
    assert f"{loaded.read(Events).filter(where).height:,} events" in texts(app.run())


@pytest.mark.parametrize("script", ["pages/1_Load.py", "pages/2_Enhance.py"])
def test_pages_work_without_saved_events(workspace: Workspace, sample_logs: Path, script: str) -> None:
    load_logs(workspace, [sample_logs], LoadOptions(n_runs=1, services=("key",)), jobs=1, save_events=False)
    app = page(script)
    assert not app.exception
    assert "--no-save-events" in texts(app)


def test_the_command_shown_means_what_was_chosen() -> None:
    options = LoadOptions(
        n_runs=2,
        services=("client", "token"),
        errors_per_run=1,
        dup_errors=False,
        single_error_type="random",
        skip_init_lines=3,
        window=6.0,
        labels="none",
        seed=8,
    )
    request = Request(Logs(("/a b", "c.zip"), service="x"), options, Path("ws"), "append")
    assert parse(shlex.split(shlex.join(request.command.arguments()))) == Load(
        root=(Path("/a b"), Path("c.zip")), options=options, service="x", append=True, output_dir=Path("ws")
    )


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("monday.tar.gz", "monday.tar.gz"),
        ("../../etc/passwd.log", "passwd.log"),
        ("C:\\logs\\a b.zip", "a_b.zip"),
        (".hidden.log", "hidden.log"),
        ("...", "unnamed"),
        ("ü" * 200 + ".zip", "_.zip"),
    ],
)
def test_upload_names_are_made_harmless(name: str, clean: str) -> None:
    assert uploads.clean_file_name(name) == clean


def test_a_folder_is_watched_and_the_watch_is_stopped(
    workspace: Workspace, trained_runs: Path, sample_logs: Path, tmp_path: Path
) -> None:
    shutil.copytree(trained_runs / "ws", workspace.root)
    shutil.copytree(trained_runs / "models", tmp_path / "models", dirs_exist_ok=True)
    live = tmp_path / "live"
    shutil.copytree(max(sample_logs.glob("light*")) / "correct", live / "light-oauth2-data-1800000000" / "correct")
    app = page("pages/1_Load.py")
    app.text_input(key="load-folder").input(str(live)).run()
    switch = f"watch-{workspace.root}"
    app.toggle(key=f"{switch}-off").set_value(True).run()
    try:
        assert jobs.status(slot(workspace)).running
        assert "Watching for new test cases" in texts(app.run())
        assert not jobs.status(workspace).running, "people can start a job"
    finally:
        app.toggle(key=f"{switch}-on").set_value(False).run()
    assert jobs.status(slot(workspace)).state == "cancelled"
    assert "Watching for new test cases" not in texts(app.run())
