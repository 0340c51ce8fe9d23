"""What was loaded, in small frames."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from lo2core.base.schemas import Events, Ledger, Sequences
from lo2core.load.plan import LoadOptions
from lo2core.pipeline import summary
from lo2core.pipeline.load import load_logs
from lo2core.store.workspace import Workspace

LOG = """\
before the first time stamp
10:00:00.000 [t1]  cid1 INFO  c.n.Handler handle - started
10:00:01.000 [t1]  cid1 ERROR c.n.Handler handle - Not.Found
java.lang.Exception: gone
\tat c.n.Handler.handle(Handler.java:1)

10:00:01.500 [t1]  cid1 ERROR c.n.Handler handle - not_found again
"""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """One run of a normal and a faulty test case, beside a file that is no service log and an empty log."""
    root = tmp_path_factory.mktemp("summary")
    logs = root / "logs" / "light-oauth2-data-1735725600"
    for folder, service in (("correct", "client"), ("get_client_404", "client"), ("get_client_404", "token")):
        (logs / folder).mkdir(parents=True, exist_ok=True)
        (logs / folder / f"light-oauth2-oauth2-{service}-1.log").write_text(
            LOG.replace("10:", "10:" if folder == "correct" else "11:")
        )
    (logs / "correct" / "light-oauth2-oauth2-user-1.log").touch()
    (logs / "locust.log").write_text("one\ntwo\n")
    workspace = Workspace(root / "ws")
    load_logs(workspace, [root / "logs"], LoadOptions(), jobs=1)
    return workspace


def test_line_kinds_add_up_to_all_lines(workspace: Workspace) -> None:
    kinds = summary.line_kinds(workspace)
    assert kinds["kind"].to_list() == list(summary.LINE_KINDS)
    assert kinds["lines"].to_list() == [9, 6, 3, 3, 0]
    ignored = workspace.read(Ledger).filter(status="ignored")["lines"].sum()
    assert ignored == 2
    assert kinds["lines"].sum() == summary.totals(workspace)["lines"] == workspace.read(Ledger)["lines"].sum() - ignored
    assert kinds["share"].sum() == pytest.approx(1)


def test_totals_count_what_was_read(workspace: Workspace) -> None:
    totals = summary.totals(workspace)
    assert (totals["runs"], totals["test cases"], totals["services"], totals["files"]) == (1, 2, 3, 4)
    assert totals["events"] == workspace.read(Events).height


def test_files_that_were_not_simply_read_are_named(workspace: Workspace) -> None:
    files = summary.noteworthy_files(workspace)
    assert sorted(files["what"]) == ["empty", "ignored"]
    assert files.filter(what="ignored")["source"][0].endswith("locust.log")


def test_bands_are_in_minutes_since_the_run_began(workspace: Workspace) -> None:
    bands = summary.test_case_bands(workspace)
    assert bands.select("folder", "label", "start").rows() == [
        ("correct", "normal", 0),
        ("get_client_404", "faulty", 60),
    ]
    assert bands["end"].to_list() == pytest.approx([0.025, 60.025])


def test_errors_of_a_second_are_one_tick(workspace: Workspace) -> None:
    ticks = summary.error_ticks(workspace)
    assert ticks.select("service", "at", "errors").rows() == [
        ("client", 0.017, 2),
        ("client", 60.017, 2),
        ("token", 60.017, 2),
    ]


def test_many_ticks_become_longer_ones(workspace: Workspace) -> None:
    ticks = summary.error_ticks(workspace, most=2)
    assert ticks.height == 2
    assert ticks["errors"].sum() == 6


def test_bands_of_unlabelled_logs_have_no_label(workspace: Workspace, tmp_path: Path) -> None:
    other = Workspace(tmp_path)
    unknown = workspace.read(Sequences).with_columns(normal=pl.lit(None, dtype=pl.Boolean))
    other.write(Sequences, unknown, provenance={})
    assert set(summary.test_case_bands(other)["label"]) == {"no label"}
