"""A job seen from the pages: its progress is there on each of them, after a restart too, and it can be cancelled."""

from __future__ import annotations

import re
import shutil
import signal
from pathlib import Path
from urllib.parse import quote

from helpers.driver import App
from playwright.sync_api import expect

from lo2core.pipeline import jobs
from lo2core.pipeline.lock import Work
from lo2core.pipeline.signals import INTERRUPTED

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


def start(app: App, end: Path, workspace: Path | None = None) -> None:
    """A job that runs until the file `end` exists, and fails with the text in it, if there is any."""
    jobs.start(workspace or app.server.workspace, Work(("-c", WORK, str(end))))


def test_a_job_and_the_request_behind_it_survive_a_restart_of_the_server_and_the_tab_says_how_to_start_it(
    app: App, tmp_path: Path, loaded_sample: Path
) -> None:
    other = shutil.copytree(loaded_sample, tmp_path / "other")
    app.goto(f"/Train?ws={other}")
    start(app, tmp_path / "end", other)  # in another tab, of which this one knows nothing yet
    app.click("Train")
    dialog = app.page.get_by_role("dialog")
    expect(dialog.get_by_text("has been running since")).to_be_visible()
    expect(dialog.get_by_text("Your request was not started: Train ")).to_be_visible()
    dialog.get_by_role("button", name="Run it next").click()
    app.sees("Runs next: Train ")
    expect(app.page.get_by_text("Loading <b>*logs*</b>")).to_have_count(1)

    assert app.server.url in app.server.log.read_text()
    before = app.server.log.stat().st_size
    assert app.server.stop() in (0, INTERRUPTED, -signal.SIGKILL)  # the latter where it is busy for a second
    assert "Traceback" not in app.server.log.read_text()[before:]
    gone = app.page.get_by_role("alert").get_by_text(f"python -m lo2core dashboard --port {app.server.port}")
    gone.wait_for()
    app.server.start()
    gone.wait_for(state="detached")

    app.follow("Compare")
    expect(app.page).to_have_url(re.compile(rf"[?&]ws={re.escape(quote(str(other), safe=''))}"))
    expect(app.page.get_by_test_id("stProgress")).to_be_visible()
    app.sees("Runs next: Train ")
    (tmp_path / "end").touch()
    app.sees(re.compile("Done after .*: Train "))
    expect(app.page.get_by_test_id("stProgress")).to_have_count(0)
    expect(app.command).to_contain_text(str(other))
    app.no_exception()


def test_a_job_is_cancelled_another_fails_and_both_are_listed_with_their_logs(app: App, tmp_path: Path) -> None:
    start(app, tmp_path / "never")
    app.goto("/Compare")
    app.click("Cancel")
    app.sees("The job was cancelled.")
    assert jobs.status(app.server.workspace).state == "cancelled"
    (tmp_path / "end").write_text("No [log](http://example.com) was found.")
    start(app, tmp_path / "end")
    app.follow("Load")
    app.page.get_by_text("The last job failed").click()
    expect(app.page.get_by_text("No [log](http://example.com) was found.").first).to_be_visible()
    app.click("Jobs")
    dialog = app.page.get_by_role("dialog")
    for row, state in enumerate(("failed", "cancelled"), 1):
        listed = dialog.get_by_test_id("stDataFrame").locator(f'tr[aria-rowindex="{row + 1}"]')
        expect(listed).to_contain_text(state)
    app.tick(dialog.get_by_test_id("stDataFrame"))
    expect(dialog.get_by_text("python -c")).to_be_visible()
    expect(dialog.locator("pre").last).to_contain_text("No [log](http://example.com) was found.")
    app.no_exception()
