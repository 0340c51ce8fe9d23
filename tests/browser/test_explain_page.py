"""Page Explain in a real browser: from a chart to the raw line in two clicks, marks, downloads, back and forth."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl
import pytest
from helpers.driver import App, Server
from helpers.scored import score_sample
from playwright.sync_api import expect

from lo2core.base.schemas import Predictions
from lo2core.store.workspace import Workspace
from lo2core.ui.shell.keyboard import NEXT, PREVIOUS

FAULT = "get_client_404_no_client"


@pytest.fixture(scope="module", autouse=True)
def workspace(server: Server, loaded_sample: Path, sample_logs: Path) -> Workspace:
    score_sample(loaded_sample, sample_logs, server.workspace.parent)
    return Workspace(server.workspace)


@pytest.fixture
def link(workspace: Workspace) -> str:
    """The address of a fault of which the service `client` says all."""
    run = workspace.read(Predictions, "nn").filter(pl.col("folder") == FAULT)["run"][0]
    return f"/Explain?prediction=nn&run={run}&folder={FAULT}"


def pick(app: App, table: int, row: int) -> None:
    """Tick a row of one of the tables, counted from 0."""
    app.tick(app.page.get_by_test_id("stDataFrame").nth(table), row)


def test_a_link_opens_the_incident_in_light_and_dark_and_a_bar_leads_to_the_raw_line_and_a_report_without_addresses(
    app: App, link: str, tmp_path: Path
) -> None:
    app.goto(link)
    bars = app.page.get_by_test_id("stVegaLiteChart").first.locator(".mark-rect.role-mark path")
    bars.and_(app.page.locator('[aria-label*="service: client"]')).first.click(position={"x": 4, "y": 4})
    app.page.wait_for_url("**service=client**")
    app.settled()
    app.page.get_by_test_id("stDataFrame").nth(1).hover()
    expect(app.page.get_by_label("Fullscreen").locator("visible=true")).not_to_have_count(0)
    expect(app.page.get_by_label("Download as CSV").locator("visible=true")).to_have_count(0)  # it masks no secrets
    pick(app, 2, 1)
    app.sees(re.compile(r"oauth2-client-1\.log, line \d+"))
    pick(app, 1, 0)
    app.sees("lines with the selected item")
    for tab, text in (("Nearest normal", "only in the normal"), ("One request", "events in time order")):
        app.page.get_by_role("tab", name=tab).click()
        app.sees(text)
    app.no_exception()
    with app.page.expect_download() as waiting:
        app.page.get_by_role("button", name="report.html").click()
    waiting.value.save_as(tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text()
    assert "CLIENT_NOT_FOUND" in text
    assert not re.search(r"(src|href)=[\"']https?://", text)

    for scheme in ("dark", "light"):
        app.page.emulate_media(color_scheme=scheme)
        app.no_exception()
        expect(app.page.get_by_text("client has z ")).to_be_visible()
        expect(app.page.get_by_text("requests are of a kind that no normal has")).to_be_visible()
        app.fits()

    app.click("This is benign ...")
    app.page.get_by_role("button", name="Mark as benign").click()
    app.sees("A mark needs a reason")
    app.page.get_by_label("Reason").fill("the drill of May")
    app.page.get_by_role("button", name="Mark as benign").click()
    app.sees("Marked as benign: ")
    app.settled()
    app.page.get_by_text("1 known benign").click()
    pick(app, 0, 0)
    app.click("Undo ...")
    app.page.get_by_label("Reason").fill("no drill")
    app.page.get_by_role("button", name="Undo", exact=True).click()
    app.sees("No longer known benign.")
    expect(app.page.get_by_text("1 known benign")).to_have_count(0)


def test_false_alarms_and_the_model_are_shown_and_a_calibration_tick_leads_to_the_raw_line_in_two_clicks(
    app: App,
) -> None:
    app.goto("/Explain?prediction=nn&about=False+alarms")
    app.sees("normal sequences")
    app.page.get_by_role("tab", name="The model").click()
    app.sees("NearestNormal on messages")
    strip = app.page.get_by_test_id("stVegaLiteChart").filter(has=app.page.locator(".mark-rect.role-mark path"))
    strip.locator(".mark-rect.role-mark path").first.click()
    app.sees("rarest first")
    pick(app, 2, 0)  # behind importance, and mean and spread, which are folded
    app.sees(re.compile(r"oauth2-\S+\.log, line \d+"))
    expect(app.page.get_by_text("Do the same from a terminal")).to_be_visible()
    app.no_exception()


KEYS = {"Next": NEXT.lower(), "Previous": PREVIOUS.lower()}


def test_each_step_by_key_is_one_entry_of_the_history(app: App) -> None:
    app.goto("/Explain?prediction=nn")
    app.sees("1 of 92 incidents, worst first")
    shown = [1]
    for name in ("Next", "Next", "Previous", "Next", "Next", "Next", "Previous", "Next", "Next", "Next"):
        app.settled()
        shown.append(shown[-1] + (1 if name == "Next" else -1))
        there = app.page.get_by_text(f"{shown[-1]} of 92 incidents, worst first").first
        app.until(lambda key=KEYS[name]: app.page.keyboard.press(key), there)
    for at in reversed(shown[:-1]):
        app.page.go_back()
        app.sees(f"{at} of 92 incidents, worst first")
    app.page.evaluate(f"history.go({len(shown) - 1})")
    app.sees(f"{shown[-1]} of 92 incidents, worst first")
    app.page.reload()
    app.sees(f"{shown[-1]} of 92 incidents, worst first")
    app.no_exception()
