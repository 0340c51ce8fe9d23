from __future__ import annotations

import json
import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import joblib
import polars as pl
import pytest

from lo2core.base.claims import (
    UNPACKED,
    UnpackingFolder,
    claimed_file,
    claimed_folder,
    remove_unclaimed,
    remove_unpacked,
)
from lo2core.base.errors import ArtefactError, ExistsError
from lo2core.base.schemas import Counts, Messages
from lo2core.store.bundles import read_bundle, save_bundle, sign_bundle, state
from lo2core.store.changes import JOURNAL, Change, current, names, opened_together, recover
from lo2core.store.signing import BundleState
from lo2core.store.workspace import Workspace


class Killed(BaseException):
    """Ends a change as a kill does: what it would do next is not done."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a", "b", "old"):
        (tmp_path / name).write_text("old")
    return tmp_path


def change(folder: Path) -> Change:
    """A change of a and b, new c, without old; not committed yet."""
    found = Change(folder)
    for name in ("a", "b", "c"):
        found.write(name, lambda to: to.write_text("new"), replace=True)
    found.remove("old")
    return found


def broken_off(folder: Path, monkeypatch: pytest.MonkeyPatch, renames: int) -> None:
    """A change that is killed after the journal and so many renames."""
    with monkeypatch.context() as patch, pytest.raises(Killed), change(folder):
        replace, left = Path.replace, [renames + 1]  # the first one is that of the journal

        def until_killed(self: Path, target: Path) -> Path:
            left[0] -= 1
            if left[0] < 0:
                raise Killed
            return replace(self, target)

        patch.setattr(Path, "replace", until_killed)


def seen(folder: Path) -> dict[str, str]:
    paths = [folder / name for name in ("a", "b", "c", "old")]
    return {path.name: file.read().decode() for path, file in zip(paths, opened_together(paths), strict=True) if file}


NEW = {"a": "new", "b": "new", "c": "new"}


def test_files_are_replaced_together(folder: Path) -> None:
    before = opened_together([folder / "a"])[0]
    with change(folder):
        assert seen(folder) == {"a": "old", "b": "old", "old": "old"}
    assert seen(folder) == NEW
    assert before is not None
    assert before.read() == b"old"
    assert {path.name for path in folder.iterdir()} == NEW.keys()


def test_readers_see_one_moment_while_changes_go_on(folder: Path) -> None:
    def write(n: int) -> None:
        with Change(folder) as both:
            for name in ("a", "b"):
                both.write(name, lambda to: to.write_text(str(n)), replace=True)

    write(0)
    with ThreadPoolExecutor(1) as pool:
        writer = pool.submit(lambda: [write(n) for n in range(1, 31)])
        reads = []
        while not writer.done() or not reads:
            reads.append(seen(folder))
        writer.result()
    assert [read for read in reads if read["a"] != read["b"]] == []
    assert seen(folder)["b"] == "30"


def test_an_error_changes_nothing(folder: Path) -> None:
    with pytest.raises(ZeroDivisionError), change(folder):
        raise ZeroDivisionError
    assert seen(folder) == {"a": "old", "b": "old", "old": "old"}
    assert {path.name for path in folder.iterdir()} == {"a", "b", "old"}


@pytest.mark.parametrize("renames", range(3))
def test_a_change_that_was_killed_is_seen_whole_and_completed_by_the_next(
    folder: Path, monkeypatch: pytest.MonkeyPatch, renames: int
) -> None:
    broken_off(folder, monkeypatch, renames)
    assert (folder / JOURNAL).exists()
    assert seen(folder) == NEW
    assert {name for name in names(folder, "") if current(folder / name)} == NEW.keys()
    folder.chmod(0o555)  # a reader needs no permission to write
    recover(folder)
    assert seen(folder) == NEW
    folder.chmod(0o755)
    recover(folder)
    assert {path.name: path.read_text() for path in folder.iterdir()} == NEW


def test_removing_what_is_not_there_does_nothing(tmp_path: Path) -> None:
    Workspace(tmp_path / "nowhere").remove(Counts)
    assert not (tmp_path / "nowhere").exists()


def test_a_file_that_appears_meanwhile_stops_the_change(folder: Path) -> None:
    with pytest.raises(ExistsError), Change(folder) as late:
        late.write("a", lambda to: to.write_text("late"), replace=True)
        late.write("d", lambda to: to.write_text("late"))
        (folder / "d").write_text("first")
    assert ((folder / "a").read_text(), (folder / "d").read_text()) == ("old", "first")


@pytest.mark.parametrize(
    "journal",
    [
        *("", "[", "{}", "[]", '{"renamed": 1, "removed": []}', '{"renamed": {}, "removed": [["a"]]}'),
        '{"renamed": {"a": "b"}, "removed": []}',
        '{"renamed": {"../a": ".../a.12345678.tmp"}, "removed": []}',
        '{"renamed": {}, "removed": ["../a"]}',
        '{"renamed": {"a": ".a.12345678.tmp/../b"}, "removed": ["a"]}',
    ],
)
def test_a_journal_that_no_change_wrote_counts_for_nothing(folder: Path, journal: str) -> None:
    (folder / JOURNAL).write_text(journal)
    assert seen(folder) == {"a": "old", "b": "old", "old": "old"}
    recover(folder)
    assert {path.name for path in folder.iterdir()} == {"a", "b", "old"}


def test_a_new_folder_that_another_process_takes_for_a_leftover_is_made_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process looks for leftovers between the making of a folder and its opening, which claims it."""
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    opened = os.open

    def removed_first(path: str, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        monkeypatch.setattr(os, "open", opened)
        remove_unpacked()
        remove_unclaimed(folder)
        return opened(path, flags, mode, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", removed_first)
    with UnpackingFolder() as unpacked:
        assert Path(unpacked).is_dir()
    monkeypatch.setattr(os, "open", removed_first)
    claim = claimed_folder(folder / "d")
    assert claim.path.is_dir()
    claim.end()


def test_only_what_nobody_claims_is_removed(folder: Path) -> None:
    claims = [claimed_file(folder / "a"), claimed_folder(folder / "d")]
    (folder / ".b.12345678.tmp").write_text("left behind")
    (folder / ".d.12345678.tmp").mkdir()
    (folder / ".d.12345678.tmp" / "part").write_text("left behind")
    remove_unclaimed(folder)
    assert {path.name for path in folder.glob(".*")} == {claim.path.name for claim in claims}
    for claim in claims:
        claim.end()
    assert not list(folder.glob(".*"))


def test_unpacked_archives_of_a_living_process_stay(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    (folder / f"{UNPACKED}left").mkdir()
    (folder / "lo2-mine").mkdir()
    with UnpackingFolder() as living:
        remove_unpacked()
        assert {path.name for path in folder.glob("lo2-*")} == {Path(living).name, "lo2-mine"}
    assert not Path(living).exists()


def saved(folder: Path, data: object, replace: bool = False) -> Path:
    path, dumped = folder / "m.joblib", folder / "dumped"
    joblib.dump(data, dumped)
    save_bundle(path, dumped.read_bytes(), {"items": "messages"}, [], {}, replace=replace)
    return path


def test_a_model_and_its_manifest_are_one_pair_however_the_saving_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LO2_SIGNING_KEY_FILE", str(tmp_path / "key"))
    path = saved(tmp_path, "old")
    replace = Path.replace
    for at in range(1, 4):
        left = [at]

        def until_killed(self: Path, target: Path, left: list[int] = left) -> Path:
            left[0] -= 1
            if left[0] == 0:
                raise Killed
            return replace(self, target)

        with monkeypatch.context() as patch, pytest.raises(Killed):
            patch.setattr(Path, "replace", until_killed)
            saved(tmp_path, f"new {at}", replace=True)
        assert state(path) is BundleState.SIGNED
        assert read_bundle(path)[0]
        assert joblib.load(path) in ("old", *(f"new {n}" for n in range(4)))


def test_two_processes_that_save_a_model_under_one_name_leave_a_pair(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LO2_SIGNING_KEY_FILE", str(tmp_path / "key"))
    path = tmp_path / "m.joblib"

    def save(content: bytes) -> None:
        for _ in range(10):
            save_bundle(path, content, {}, [], {}, replace=True)

    save(b"first")
    with ThreadPoolExecutor(2) as pool:
        writers = [pool.submit(save, content) for content in (b"one", b"another")]
        while not all(writer.done() for writer in writers):
            assert read_bundle(path)[0] in (b"first", b"one", b"another")
        for writer in writers:
            writer.result()
    assert state(path) is BundleState.SIGNED


def test_a_model_that_is_replaced_while_it_is_vouched_for_is_not_signed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LO2_SIGNING_KEY_FILE", str(tmp_path / "key"))
    path = saved(tmp_path, "old")
    data = path.read_bytes()
    saved(tmp_path, "new", replace=True)
    with pytest.raises(Exception, match="was replaced while it was opened"):
        sign_bundle(path, data, {}, [], {})
    assert state(path) is BundleState.SIGNED


@pytest.fixture
def tables() -> tuple[pl.DataFrame, pl.DataFrame]:
    counts = pl.DataFrame([("a", "message", 3, 5)], schema=Counts.create_empty().schema, orient="row")
    messages = pl.DataFrame([(3, "message", "text", None)], schema=Messages.create_empty().schema, orient="row")
    return counts, messages


def write(workspace: Workspace, tables: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    with workspace.change() as both:
        for schema, frame in zip((Counts, Messages), tables, strict=True):
            workspace.write(schema, frame, provenance={}, replace=True, change=both)


def test_a_snapshot_stays_as_it_is(tmp_path: Path, tables: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    workspace = Workspace(tmp_path)
    write(workspace, tables)
    snapshot, lazily = workspace.snapshot(), workspace.scan(Counts)
    assert snapshot.read(Messages)["text"].to_list() == ["text"]
    counts, messages = tables
    write(workspace, (counts.with_columns(n=pl.lit(7, pl.Int64)), messages.with_columns(text=pl.lit("other"))))
    assert (snapshot.read(Counts)["n"].item(), lazily.collect()["n"].item()) == (5, 5)
    assert snapshot.snapshot().metadata(Counts)["generation"] == snapshot.metadata(Messages)["generation"]
    assert (workspace.read(Counts)["n"].item(), workspace.snapshot().read(Counts)["n"].item()) == (7, 7)


def test_tables_of_two_changes_are_refused_and_those_written_by_hand_are_not(
    tmp_path: Path, tables: tuple[pl.DataFrame, pl.DataFrame]
) -> None:
    workspace = Workspace(tmp_path)
    write(workspace, tables)
    copied = workspace.path(Counts).read_bytes()
    write(workspace, tables)
    workspace.path(Counts).write_bytes(copied)
    with pytest.raises(ArtefactError, match=r"not written together \(lo2_counts.parquet, lo2_messages.parquet\)"):
        workspace.snapshot().read(Messages)
    tables[0].write_parquet(workspace.path(Counts))
    assert workspace.snapshot().read(Messages).height == 1
    assert json.loads(pl.read_parquet_metadata(workspace.path(Messages))["lo2core"])["generation"]
