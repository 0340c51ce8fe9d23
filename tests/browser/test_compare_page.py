"""Page Compare in a real browser: a brush, flips that lead to Explain, test cases side by side, a kept comparison."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import polars as pl
import pytest
from helpers.driver import App, Server
from helpers.scored import score_sample
from playwright.sync_api import expect


@pytest.fixture(scope="module", autouse=True)
def _scored(server: Server, loaded_sample: Path, sample_logs: Path) -> None:
    score_sample(loaded_sample, sample_logs, server.workspace.parent)


SAME = "/Compare?a=forest&b=nn"
OTHER = "/Compare?a=today/nn&b=nn"


@pytest.mark.parametrize(("link", "scheme"), [(SAME, "light"), (OTHER, "dark")])
def test_a_link_opens_the_comparison(app: App, link: str, scheme: str) -> None:
    app.goto(link)
    app.no_exception()
    expect(app.page.get_by_text("What differs between the predictions")).to_be_visible()
    expect(app.page.get_by_text("Do the same from a terminal")).to_be_visible()
    assert app.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_a_box_drawn_in_the_scatter_lists_what_it_holds(app: App) -> None:
    app.goto(SAME)
    chart = app.page.get_by_test_id("stVegaLiteChart").first.locator("svg.marks, canvas").first
    chart.scroll_into_view_if_needed()
    app.page.wait_for_timeout(500)  # drawn after its element is there
    box = chart.bounding_box()
    assert box
    app.page.mouse.move(box["x"] + 0.15 * box["width"], box["y"] + 0.2 * box["height"])
    app.page.mouse.down()
    app.page.mouse.move(box["x"] + 0.95 * box["width"], box["y"] + 0.8 * box["height"], steps=4)
    app.page.mouse.up()
    expect(app.page.get_by_text(" selected")).to_be_visible()
    app.no_exception()


def pick_first(app: App, tab: str, table_no: int = 0) -> None:
    """Select the first row of a table on a tab."""
    app.page.get_by_role("tab", name=tab).click()
    table = app.page.get_by_role("tabpanel", name=tab).get_by_test_id("stDataFrame").nth(table_no)
    app.tick(table)


def test_a_flip_is_explained(app: App) -> None:
    app.goto(SAME)
    pick_first(app, "Flips")
    app.click("Explain in B")
    expect(app.page.get_by_role("heading", name="Explain", level=1)).to_be_visible()
    app.page.wait_for_url("**prediction=nn**")
    expect(app.page.get_by_text(" has z ").first).to_be_visible()
    app.page.go_back()
    expect(app.page.get_by_role("heading", name="Compare", level=1)).to_be_visible()
    expect(app.page).to_have_url(re.compile("ws=.*a=forest&b=nn|a=forest&b=nn.*ws="))
    expect(app.page.get_by_role("tab", name="Flips", selected=True)).to_be_visible()


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


def test_a_field_of_the_side_by_side_map_is_explained(app: App) -> None:
    app.goto(OTHER)
    chart = app.page.get_by_test_id("stVegaLiteChart").first.locator("svg.marks, canvas").first
    chart.scroll_into_view_if_needed()
    app.page.wait_for_timeout(500)
    size = chart.bounding_box()
    assert size
    chart.click(position={"x": size["width"] * 0.5, "y": 60})
    expect(app.page.get_by_role("heading", name="Explain", level=1)).to_be_visible()
    app.no_exception()


def test_the_biggest_mover_is_explained_by_the_other_model(app: App) -> None:
    app.goto(SAME)
    pick_first(app, "Biggest movers")
    app.click("Explain in A")
    expect(app.page.get_by_role("heading", name="Explain", level=1)).to_be_visible()
    app.page.wait_for_url("**prediction=forest**")
    app.no_exception()


def test_an_incident_that_is_gone_is_explained_where_it_was(app: App) -> None:
    app.goto("/Compare?a=nn&b=today/nn")
    pick_first(app, "New and gone incidents")
    app.page.get_by_role("tabpanel").get_by_role("button", name="Explain", exact=True).click()
    expect(app.page.get_by_role("heading", name="Explain", level=1)).to_be_visible()
    expect(app.page).to_have_url(re.compile("prediction=nn"))
    app.no_exception()


def test_shift_stands_service_by_service(app: App) -> None:
    app.goto(OTHER)
    app.page.get_by_role("tab", name="Shift").click()
    expect(app.page.get_by_text("Population stability index: below")).to_be_visible()
    expect(app.page.get_by_role("tabpanel", name="Shift").get_by_test_id("stDataFrame")).to_be_visible()
    app.no_exception()


def test_metrics_are_set_beside_each_other(app: App) -> None:
    app.goto(SAME)
    app.page.get_by_role("tab", name="Metrics").click()
    expect(app.page.get_by_text("McNemar's exact test: p = ")).to_be_visible()
    expect(app.page.get_by_role("tabpanel", name="Metrics").get_by_test_id("stDataFrame")).to_be_visible()
    app.no_exception()


def test_a_field_of_the_recall_matrix_is_explained(app: App) -> None:
    app.goto(SAME)
    app.page.get_by_role("tab", name="Recall by fault").click()
    app.page.locator(".mark-text.role-mark text").first.click()
    expect(app.page.get_by_role("heading", name="Explain", level=1)).to_be_visible()
    expect(app.page).to_have_url(re.compile("prediction=(forest|nn)"))
    app.no_exception()


def test_a_mark_over_time_leads_to_its_prediction_and_back(app: App) -> None:
    app.goto(SAME)
    app.page.get_by_role("tab", name="Over time").click()
    app.page.locator(".mark-symbol.role-mark path").first.click()
    expect(app.page.get_by_role("heading", name="Explain", level=1)).to_be_visible()
    expect(app.page).to_have_url(re.compile("prediction=(forest|nn)"))
    expect(app.page.get_by_text(" has z ").first).to_be_visible()
    app.page.go_back()
    expect(app.page.get_by_role("heading", name="Compare", level=1)).to_be_visible()
    expect(app.page).to_have_url(re.compile("a=forest&b=nn"))
    app.no_exception()


def test_an_item_that_vanished_leads_to_its_lines(app: App) -> None:
    app.goto("/Compare?a=nn&b=today/nn")
    pick_first(app, "New and vanished items")
    app.page.get_by_text("Select one to see it in full.").wait_for()
    pick_first(app, "New and vanished items", 1)
    expect(app.page.get_by_text(re.compile(r"oauth2-\S+\.log, line \d+"))).to_be_visible()
    app.no_exception()


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


def test_swap_is_kept_in_the_address(app: App) -> None:
    app.goto(SAME)
    app.click("Swap")
    app.page.wait_for_url("**a=nn&b=forest**")


def test_a_comparison_is_kept_in_the_workspace(app: App) -> None:
    app.goto(SAME)
    app.click("Save")
    expect(app.page.get_by_text("Saved in ")).to_be_visible(timeout=30_000)
    assert (app.server.workspace / "explainability" / "compare_forest_nn" / "report.html").exists()
