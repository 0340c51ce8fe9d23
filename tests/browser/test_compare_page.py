"""Page Compare in a real browser: a brush, flips that lead to Explain, test cases side by side, a kept comparison."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from helpers.driver import App, Server
from helpers.scored import score_sample
from playwright.sync_api import Locator, expect


@pytest.fixture(scope="module", autouse=True)
def _scored(server: Server, loaded_sample: Path, sample_logs: Path) -> None:
    score_sample(loaded_sample, sample_logs, server.workspace.parent)


SAME = "/Compare?a=forest&b=nn"


def opens(app: App, link: str) -> None:
    app.goto(link)
    app.no_exception()
    expect(app.page.get_by_text("What differs between the predictions")).to_be_visible()
    expect(app.page.get_by_text("Do the same from a terminal")).to_be_visible()
    app.fits()


def draw_box(app: App) -> None:
    """Draw a box over most of the first chart."""
    chart = app.page.get_by_test_id("stVegaLiteChart").first.locator("svg.marks, canvas").first
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    assert box
    app.page.mouse.move(box["x"] + 0.15 * box["width"], box["y"] + 0.2 * box["height"])
    app.page.mouse.down()
    app.page.mouse.move(box["x"] + 0.95 * box["width"], box["y"] + 0.8 * box["height"], steps=4)
    app.page.mouse.up()


def open_tab(app: App, tab: str) -> Locator:
    app.page.get_by_role("tab", name=tab).click()
    return app.page.get_by_role("tabpanel", name=tab)


def pick_first(app: App, tab: str, table_no: int = 0) -> None:
    """Select the first row of a table on a tab."""
    app.tick(open_tab(app, tab).get_by_test_id("stDataFrame").nth(table_no))


def is_explained(app: App, prediction: str) -> None:
    """The address names the prediction on page Explain, which shows an incident."""
    app.is_on("Explain")
    expect(app.page).to_have_url(re.compile(f"prediction={prediction}"))
    app.sees(" has z ")
    app.no_exception()


def go_back(app: App) -> None:
    app.page.go_back()
    app.is_on("Compare")
    expect(app.page).to_have_url(re.compile("ws=.*a=forest&b=nn|a=forest&b=nn.*ws="))


def test_marks_of_a_chart_lead_to_their_predictions_and_the_comparison_is_saved_and_swapped(app: App) -> None:
    opens(app, SAME)
    app.until(lambda: draw_box(app), app.page.get_by_text(" selected"))
    metrics = open_tab(app, "Metrics")
    app.sees("McNemar's exact test: p = ")
    expect(metrics.get_by_test_id("stDataFrame")).to_be_visible()
    heading = app.page.get_by_role("heading", name="Explain", level=1)
    for tab, mark in (
        ("Recall by fault", ".mark-text.role-mark text"),
        ("Over time", ".mark-symbol.role-mark path"),
    ):
        open_tab(app, tab)
        app.until(app.page.locator(mark).first.click, heading)
        is_explained(app, "(forest|nn)")
        go_back(app)
    app.no_exception()
    app.click("Save")
    app.sees("Saved in ")
    assert (app.server.workspace / "explainability" / "compare_forest_nn" / "report.html").exists()
    app.click("Swap")
    app.page.wait_for_url("**a=nn&b=forest**")


@pytest.mark.parametrize("scheme", ["dark"])
def test_of_other_logs_an_item_leads_to_its_lines_and_a_field_of_the_map_to_its_incident(app: App, scheme: str) -> None:
    opens(app, "/Compare?a=nn&b=today/nn")
    shift = open_tab(app, "Shift")
    app.sees("Population stability index: below")
    expect(shift.get_by_test_id("stDataFrame")).to_be_visible()
    pick_first(app, "New and vanished items")
    app.sees("Select one to see it in full.")
    pick_first(app, "New and vanished items", 1)
    app.sees(re.compile(r"oauth2-\S+\.log, line \d+"))
    app.no_exception()
    field = open_tab(app, "Test cases").locator(".mark-rect.role-mark path").first
    app.until(field.click, app.page.get_by_role("heading", name="Explain", level=1))
    app.no_exception()


def test_flips_and_movers_are_explained_by_either_model_and_tabs_are_kept_in_the_address(app: App) -> None:
    app.goto(SAME)
    pick_first(app, "Flips")
    app.click("Explain in B")
    is_explained(app, "nn")
    app.page.get_by_role("tab", name="The model").click()
    expect(app.page).to_have_url(re.compile("about=The"))
    app.follow("Compare")
    expect(app.page.get_by_role("tab", name="Flips", selected=True)).to_be_visible()
    pick_first(app, "Biggest movers")
    app.click("Explain in A")
    is_explained(app, "forest")
    expect(app.page.get_by_role("tab", name="This incident", selected=True)).to_be_visible()
    go_back(app)
    expect(app.page.get_by_role("tab", name="Biggest movers", selected=True)).to_be_visible()


def test_very_long_names_leave_the_scatter_its_room(app: App) -> None:
    name = "nn_" + "of_the_second_week_of_march_" * 3
    shutil.copy(app.server.workspace / "nn.parquet", app.server.workspace / f"{name}.parquet")
    app.goto(f"/Compare?a=forest&b={name}")
    rule = app.page.locator(".mark-rule.role-mark line").first  # the threshold of A, from the bottom to the top
    rule.wait_for(state="attached")
    assert rule.evaluate("line => line.getBoundingClientRect().height") > 200
    app.fits()
    app.no_exception()
