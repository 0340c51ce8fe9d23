"""A job seen from the pages: its progress is there on each of them, after a restart too, and it can be cancelled."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from helpers.driver import App
from playwright.sync_api import expect

from lo2core.pipeline import jobs
from lo2core.pipeline.lock import Work

WORK = """
import sys, time
from pathlib import Path
from lo2core.pipeline.worker import reporting
from lo2core.pipeline.progress import Progress
with reporting(), Progress(1000, "Loading <b>*logs*</b>", "lines") as progress:
    while not Path(sys.argv[1]).exists():
        time.sleep(0.1)
        progress.advance(1)
    sys.exit(Path(sys.argv[1]).read_text() or None)
"""


def start(app: App, end: Path) -> None:
    """A job that runs until the file `end` exists, and fails with the text in it, if there is any."""
    jobs.start(app.server.workspace, Work(("-c", WORK, str(end))))


def test_progress_survives_a_page_change_and_a_server_restart_and_ends_with_a_message(app: App, tmp_path: Path) -> None:
    start(app, tmp_path / "end")
    app.goto("/Load")
    expect(app.page.get_by_text("Loading <b>*logs*</b>").first).to_be_visible()
    app.server.restart()
    app.goto("/Train")
    expect(app.page.get_by_test_id("stProgress")).to_be_visible()
    (tmp_path / "end").touch()
    expect(app.page.get_by_text("Done after")).to_be_visible()
    expect(app.page.get_by_test_id("stProgress")).to_have_count(0)
    app.no_exception()


def test_a_job_can_be_cancelled_from_any_page(app: App, tmp_path: Path) -> None:
    start(app, tmp_path / "never")
    app.goto("/Compare")
    app.click("Cancel")
    expect(app.page.get_by_text("The job was cancelled.")).to_be_visible()
    assert jobs.status(app.server.workspace).state == "cancelled"


def test_a_failed_job_shows_its_sentence_as_plain_text(app: App, tmp_path: Path) -> None:
    (tmp_path / "end").write_text("No [log](http://example.com) was found.")
    start(app, tmp_path / "end")
    app.goto("/Load")
    expect(app.page.get_by_text("The last job failed").first).to_be_visible()
    expect(app.page.get_by_text("No [log](http://example.com) was found.").first).to_be_attached()


def test_a_request_while_another_command_runs_is_not_lost(app: App, tmp_path: Path, loaded_sample: Path) -> None:
    shutil.copytree(loaded_sample, app.server.workspace, dirs_exist_ok=True)
    app.goto("/Train")
    start(app, tmp_path / "end")  # in another tab, of which this one knows nothing yet
    app.click("Train")
    dialog = app.page.get_by_role("dialog")
    expect(dialog.get_by_text("has been running since")).to_be_visible()
    expect(dialog.get_by_text("Your request was not started: Train ")).to_be_visible()
    dialog.get_by_role("button", name="Run it next").click()
    expect(app.page.get_by_text("Runs next: Train ")).to_be_visible()
    app.server.restart()
    app.goto("/Train")
    expect(app.page.get_by_text("Runs next: Train ")).to_be_visible()
    (tmp_path / "end").touch()
    expect(app.page.get_by_text(re.compile("Done after .*: Train "))).to_be_visible()
    app.no_exception()
