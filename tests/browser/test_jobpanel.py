"""A job seen from the pages: its progress is there on each of them, after a restart too, and it can be cancelled."""

from __future__ import annotations

from driver import App
from playwright.sync_api import expect

from lo2core import jobs

WORK = """
import time
from lo2core.jobs import Progress, reporting
with reporting(), Progress({steps}, "Loading <b>*logs*</b>", "lines") as progress:
    for _ in range({steps}):
        time.sleep(0.1)
        progress.advance(1)
    {end}
"""


def start(app: App, steps: int, end: str = "pass") -> None:
    jobs.start(app.server.workspace, ["-c", WORK.format(steps=steps, end=end)])


def test_progress_survives_a_page_change_and_a_server_restart_and_ends_with_a_message(app: App) -> None:
    start(app, steps=80)
    app.goto("/Load")
    expect(app.page.get_by_text("Loading <b>*logs*</b>")).to_be_visible()
    app.server.restart()
    app.goto("/Train")
    expect(app.page.get_by_test_id("stProgress")).to_be_visible()
    expect(app.page.get_by_text("Done after")).to_be_visible(timeout=20_000)
    expect(app.page.get_by_test_id("stProgress")).to_have_count(0)
    app.no_exception()


def test_a_job_can_be_cancelled_from_any_page(app: App) -> None:
    start(app, steps=600)
    app.goto("/Compare")
    app.page.get_by_role("button", name="Cancel").click()
    expect(app.page.get_by_text("The job was cancelled.")).to_be_visible()
    assert jobs.status(app.server.workspace).state == "cancelled"


def test_a_failed_job_shows_its_sentence_as_plain_text(app: App) -> None:
    start(app, steps=1, end="raise SystemExit('No [log](http://example.com) was found.')")
    app.goto("/Load")
    expect(app.page.get_by_text("The last job failed")).to_be_visible()
    expect(app.page.get_by_text("No [log](http://example.com) was found.").first).to_be_attached()
