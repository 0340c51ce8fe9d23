"""Page Compare in a real browser: a brush, flips that lead to Explain, test cases side by side, a kept comparison."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import polars as pl
import pytest
from helpers.driver import App, Server
from helpers.scored import score_sample
from playwright.sync_api import Locator, expect


@pytest.fixture(scope="module", autouse=True)
def _scored(server: Server, loaded_sample: Path, sample_logs: Path) -> None:
    score_sample(loaded_sample, sample_logs, server.workspace.parent)


SAME = "/Compare?a=forest&b=nn"
OTHER = "/Compare?a=today/nn&b=nn"


def opens(app: App, link: str) -> None:
    app.goto(link)
    app.no_exception()
    expect(app.page.get_by_text("What differs between the predictions")).to_be_visible()
    expect(app.page.get_by_text("Do the same from a terminal")).to_be_visible()
    assert app.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def chart(app: App) -> Locator:
    """The first chart."""
    return app.page.get_by_test_id("stVegaLiteChart").first.locator("svg.marks, canvas").first


def draw_box(app: App) -> None:
    """Draw a box over most of the first chart."""
    chart(app).scroll_into_view_if_needed()
    box = chart(app).bounding_box()
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
    expect(app.page.get_by_role("heading", name="Explain", level=1)).to_be_visible()
    expect(app.page).to_have_url(re.compile(f"prediction={prediction}"))
    expect(app.page.get_by_text(" has z ").first).to_be_visible()
    app.no_exception()


def go_back(app: App) -> None:
    app.page.go_back()
    expect(app.page.get_by_role("heading", name="Compare", level=1)).to_be_visible()
    expect(app.page).to_have_url(re.compile("ws=.*a=forest&b=nn|a=forest&b=nn.*ws="))


def test_a_link_opens_a_comparison_whose_box_metrics_and_order_can_be_used(app: App) -> None:
    opens(app, SAME)
    app.until(lambda: draw_box(app), app.page.get_by_text(" selected"))
    metrics = open_tab(app, "Metrics")
    expect(app.page.get_by_text("McNemar's exact test: p = ")).to_be_visible()
    expect(metrics.get_by_test_id("stDataFrame")).to_be_visible()
    app.no_exception()
    app.click("Swap")
    app.page.wait_for_url("**a=nn&b=forest**")


@pytest.mark.parametrize("scheme", ["dark"])
def test_other_logs_are_compared_service_by_service_and_a_field_of_the_map_is_explained(app: App, scheme: str) -> None:
    opens(app, OTHER)
    shift = open_tab(app, "Shift")
    expect(app.page.get_by_text("Population stability index: below")).to_be_visible()
    expect(shift.get_by_test_id("stDataFrame")).to_be_visible()
    app.no_exception()
    field = open_tab(app, "Test cases").locator(".mark-rect.role-mark path").first
    app.until(field.click, app.page.get_by_role("heading", name="Explain", level=1))
    app.no_exception()


def test_a_flip_and_the_biggest_mover_are_explained_by_either_model(app: App) -> None:
    app.goto(SAME)
    pick_first(app, "Flips")
    app.click("Explain in B")
    is_explained(app, "nn")
    go_back(app)
    expect(app.page.get_by_role("tab", name="Flips", selected=True)).to_be_visible()
    pick_first(app, "Biggest movers")
    app.click("Explain in A")
    is_explained(app, "forest")


def test_a_tab_is_kept_in_the_address_and_a_link_leads_to_the_incident_whichever_tab_was_left(app: App) -> None:
    side = app.page.get_by_test_id("stSidebar")
    app.goto("/Explain?prediction=nn&about=The+model")
    expect(app.page.get_by_role("tab", name="The model", selected=True)).to_be_visible()
    side.get_by_role("link", name="Compare").click()
    pick_first(app, "Biggest movers")
    app.click("Explain in B")
    expect(app.page.get_by_text(" has z ").first).to_be_visible()
    expect(app.page.get_by_role("tab", name="This incident", selected=True)).to_be_visible()
    side.get_by_role("link", name="Compare").click()
    expect(app.page.get_by_role("tab", name="Biggest movers", selected=True)).to_be_visible()
    app.no_exception()


def test_an_item_that_vanished_leads_to_its_lines_and_an_incident_that_is_gone_to_where_it_was(app: App) -> None:
    app.goto("/Compare?a=nn&b=today/nn")
    pick_first(app, "New and vanished items")
    app.page.get_by_text("Select one to see it in full.").wait_for()
    pick_first(app, "New and vanished items", 1)
    expect(app.page.get_by_text(re.compile(r"oauth2-\S+\.log, line \d+"))).to_be_visible()
    app.no_exception()
    pick_first(app, "New and gone incidents")
    app.page.get_by_role("tabpanel").get_by_role("button", name="Explain", exact=True).click()
    is_explained(app, "nn")


def test_a_recall_and_a_mark_over_time_lead_to_their_predictions_and_the_comparison_is_kept(app: App) -> None:
    app.goto(SAME)
    open_tab(app, "Recall by fault")
    heading = app.page.get_by_role("heading", name="Explain", level=1)
    app.until(app.page.locator(".mark-text.role-mark text").first.click, heading)
    is_explained(app, "(forest|nn)")
    go_back(app)
    open_tab(app, "Over time")
    app.until(app.page.locator(".mark-symbol.role-mark path").first.click, heading)
    is_explained(app, "(forest|nn)")
    go_back(app)
    app.no_exception()
    app.click("Save")
    expect(app.page.get_by_text("Saved in ")).to_be_visible()
    assert (app.server.workspace / "explainability" / "compare_forest_nn" / "report.html").exists()


def test_very_long_names_leave_the_scatter_its_room(app: App) -> None:
    name = "nn_" + "of_the_second_week_of_march_" * 3
    shutil.copy(app.server.workspace / "nn.parquet", app.server.workspace / f"{name}.parquet")
    app.goto(f"/Compare?a=forest&b={name}")
    rule = app.page.locator(".mark-rule.role-mark line").first  # the threshold of A, from the bottom to the top
    rule.wait_for(state="attached")
    assert rule.evaluate("line => line.getBoundingClientRect().height") > 200
    assert app.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    app.no_exception()


def test_a_prediction_without_rows_is_compared_and_said_to_be_empty(app: App) -> None:
    pl.read_parquet(app.server.workspace / "nn.parquet").clear().write_parquet(app.server.workspace / "none.parquet")
    app.goto("/Compare?a=nn&b=none")
    expect(app.page.get_by_text("none contains no scores, so there is nothing to compare.")).to_be_visible()
    for tab in ("New and gone incidents", "New and vanished items", "Recall by fault", "Shift", "Over time"):
        app.page.get_by_role("tab", name=tab).click()
        app.page.get_by_role("tabpanel", name=tab).wait_for()
        app.settled()
        app.no_exception()
    (app.server.workspace / "none.parquet").unlink()
