"""A workspace full of files that cannot be read, in a real browser: every page is drawn, and the server goes on."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.driver import App, Server
from helpers.hostile import GARBAGE, make_hostile
from helpers.scored import score_sample
from playwright.sync_api import expect

from lo2core.base.schemas import Events
from lo2core.store.workspace import Workspace


@pytest.fixture(scope="module", autouse=True)
def _hostile(server: Server, loaded_sample: Path, sample_logs: Path) -> None:
    make_hostile(score_sample(loaded_sample, sample_logs, server.workspace.parent))


def test_pages_are_drawn_and_a_report_that_cannot_be_made_is_one_sentence(app: App, server: Server) -> None:
    app.goto("/")
    expect(app.page.get_by_role("heading", name="Worst incidents", exact=True)).to_be_visible()
    expect(app.page.get_by_text("The last job failed")).to_be_visible()
    app.page.get_by_text("files cannot be read").click()
    listed = app.page.get_by_role("table").filter(has_text="samples/my logs")
    expect(listed).to_contain_text("Its name is not UTF-8: rename it.")
    expect(listed).to_contain_text("lo2_feedback.parquet is damaged or not a lo2core table")
    for title in ("Load", "Enhance", "Train", "Predict", "Compare"):
        app.follow(title)
        expect(app.command).to_be_visible()
        app.no_exception()
    assert "Traceback" not in server.log.read_text()

    app.goto("/Explain?prediction=nn")
    Workspace(server.workspace).path(Events).write_bytes(GARBAGE)
    button = app.page.get_by_role("button", name="Report of the worst 20")
    button.click()
    row = button.locator("xpath=ancestor::div[.//button[contains(., 'Save')]][1]").last  # the old one may be there, too
    expect(row).to_contain_text("lo2_events.parquet is damaged")
    assert not app.page.get_by_test_id("stDownloadButtonError").is_visible(), "Streamlit's own words"
    app.no_exception()
    assert server.process and server.process.poll() is None
