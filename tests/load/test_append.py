"""Appending to what is loaded: only what is new is read, and the result is that of a fresh load."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from helpers.loglines import line, write_log

from lo2core.base.errors import InputError
from lo2core.base.schemas import Counts, Events, Files, Ledger, Messages, Sequences
from lo2core.load.plan import LoadOptions
from lo2core.load.read import Loaded
from lo2core.messages.counts import fingerprint
from lo2core.pipeline import load as load_stage
from lo2core.pipeline.load import load_logs
from lo2core.store.workspace import Workspace

TABLES = (Events, Sequences, Ledger, Files, Messages, Counts)


def assert_like_a_fresh_load(grown: Workspace, roots: list[Path], options: LoadOptions | None = None) -> None:
    fresh = Workspace(grown.root.with_name("fresh"))
    load_logs(fresh, roots, options, replace=True)
    for schema in TABLES:
        key = schema.primary_key()
        frame, wanted = (workspace.read(schema).sort(key) for workspace in (grown, fresh))
        assert frame.equals(wanted), schema.__name__
    assert grown.metadata(Counts)["data_fingerprint"] == fingerprint(fresh.read(Counts))


def add_case(root: Path) -> None:
    write_log(root / "run_1" / "fault_400", line("a new test case"))


def add_run(root: Path) -> None:
    write_log(root / "run_2" / "correct", line())


def add_lines(root: Path) -> None:
    with (root / "run_1" / "correct" / "light-oauth2-oauth2-client-1.log").open("a") as file:
        file.write("d line\n" + line("more") + "\n")


def add_service(root: Path) -> None:
    write_log(root / "run_1" / "correct", line(), service="token")


def rotate(root: Path) -> None:
    log = root / "run_1" / "correct" / "light-oauth2-oauth2-client-1.log"
    log.rename(log.with_name(f"{log.name}.1"))
    log.write_text(line("after the rotation") + "\n")


def remove_log(root: Path) -> None:
    (root / "run_1" / "correct" / "light-oauth2-oauth2-user-1.log").unlink()
    add_lines(root)


def add_other_files(root: Path) -> None:
    (root / "run_1" / "locust.log").write_text("not of a service\n" * 3)


def first_labels(root: Path) -> None:
    """Without `correct` nothing says which test cases are normal."""
    write_log(root / "run_3" / "correct", line())


GROWTH = (add_case, add_run, add_lines, add_service, rotate, remove_log, add_other_files, first_labels)


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    root = tmp_path / "logs"
    write_log(root / "run_1" / "correct", line("one") + line("a trunca").rstrip("\n"))
    write_log(root / "run_1" / "correct", line("two"), service="user")
    write_log(root / "run_3" / "other", line("three"))
    return root


def test_a_folder_that_grows_is_loaded_as_from_the_beginning(logs: Path, tmp_path: Path) -> None:
    workspace, options = Workspace(tmp_path / "grown"), LoadOptions(window=2.0)
    load_logs(workspace, [logs], options)
    for grow in GROWTH:
        grow(logs)
        load_logs(workspace, [logs], options, append=True)
    assert_like_a_fresh_load(workspace, [logs], options)


def test_only_what_is_new_is_read(logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = Workspace(tmp_path / "grown")
    load_logs(workspace, [logs])
    add_case(logs)
    read: list[str] = []
    finish = load_stage._finish_run

    def noted(parts: Any, run: str, loaded: Loaded) -> None:
        read.extend(loaded.ledger["source"])
        finish(parts, run, loaded)

    monkeypatch.setattr(load_stage, "_finish_run", noted)
    loaded = load_logs(workspace, [logs], append=True)
    assert read == ["logs/run_1/fault_400/light-oauth2-oauth2-client-1.log"]
    assert "1 test case folder new, 0 changed since the last load (read again), 2 loaded already" in loaded.plan


def test_nothing_is_written_where_nothing_is_new(logs: Path, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "grown")
    load_logs(workspace, [logs])
    stamps = [workspace.stamp(schema) for schema in TABLES]
    loaded = load_logs(workspace, [logs], append=True)
    assert loaded.plan == "0 test case folders new, 0 changed since the last load (read again), 2 loaded already."
    assert [workspace.stamp(schema) for schema in TABLES] == stamps


def test_a_folder_with_the_same_runs_elsewhere_is_another_one(logs: Path, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "grown")
    load_logs(workspace, [logs])
    copy = Path(shutil.copytree(logs, tmp_path / "elsewhere" / "logs"))
    add_lines(copy)
    before = workspace.read(Events)
    with pytest.raises(InputError, match="The run run_1 is loaded already, from another folder"):
        load_logs(workspace, [copy], append=True)
    assert workspace.read(Events).equals(before)


def test_two_roots_of_the_same_name_grow_apart(logs: Path, tmp_path: Path) -> None:
    workspace, second = Workspace(tmp_path / "grown"), tmp_path / "b" / "logs"
    write_log(second / "run_9" / "correct", line())
    load_logs(workspace, [logs, second])
    write_log(second / "run_9" / "fault_400", line())
    load_logs(workspace, [second], append=True)
    assert_like_a_fresh_load(workspace, [logs, second])


def test_a_changed_folder_keeps_the_services_that_were_loaded(logs: Path, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "grown")
    load_logs(workspace, [logs])
    add_lines(logs)
    load_logs(workspace, [logs], LoadOptions(services=("client",)), append=True)
    assert_like_a_fresh_load(workspace, [logs])


def test_services_that_were_left_out_can_be_added(logs: Path, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "grown")
    load_logs(workspace, [logs], LoadOptions(services=("client",)))
    load_logs(workspace, [logs], append=True)
    assert_like_a_fresh_load(workspace, [logs])


def test_a_table_of_events_that_has_grown_replaces_the_one_that_was_loaded(tmp_path: Path) -> None:
    table, workspace = tmp_path / "events.csv", Workspace(tmp_path / "grown")
    table.write_text("seq_id,m_message\na,one\n")
    load_logs(workspace, [table])
    table.write_text("seq_id,m_message\na,one\na,two\nb,three\n")
    load_logs(workspace, [table], append=True)
    assert_like_a_fresh_load(workspace, [table])


def test_an_archive_that_was_made_again_is_read_again(logs: Path, tmp_path: Path) -> None:
    workspace, archive = Workspace(tmp_path / "grown"), tmp_path / "packed.zip"
    shutil.make_archive(str(archive.with_suffix("")), "zip", logs)
    load_logs(workspace, [archive])
    assert load_logs(workspace, [archive], append=True).plan.endswith("2 loaded already.")
    add_lines(logs)
    shutil.make_archive(str(archive.with_suffix("")), "zip", logs)
    load_logs(workspace, [archive], append=True)
    assert_like_a_fresh_load(workspace, [archive])


def test_logs_loaded_by_an_earlier_version_are_not_taken_for_changed_ones(logs: Path, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "grown")
    load_logs(workspace, [logs])
    workspace.remove(Files)
    with pytest.raises(InputError, match="is loaded already"):
        load_logs(workspace, [logs], append=True)
