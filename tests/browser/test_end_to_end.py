"""The whole way, in a real browser: the sample from the first click to a saved prediction and its explanation."""

from __future__ import annotations

from helpers.driver import App
from playwright.sync_api import expect

from lo2core.store.workspace import Workspace


def test_from_the_first_click_to_a_saved_prediction_and_its_explanation(app: App) -> None:
    app.goto("/")
    app.click("Try the sample")
    expect(app.page.get_by_text("Worst incidents")).to_be_visible(timeout=300_000)
    app.no_exception()
    made = Workspace(app.server.workspace).predictions()
    assert set(made) == {"sample_nn_predictions", "sample_if_predictions"}

    app.page.get_by_test_id("stSidebar").get_by_role("link", name="Predict").click()
    expect(app.page.get_by_role("heading", name="Predict", level=1)).to_be_visible()
    app.click("Predict")
    expect(app.page.get_by_text("Incidents, worst first")).to_be_visible()
    app.page.get_by_label("Save as").fill("tomorrow")
    app.page.get_by_label("Save as").press("Enter")
    app.settled()
    app.click("Save")
    expect(app.page.get_by_text("Saved as tomorrow.")).to_be_visible()
    assert set(Workspace(app.server.workspace).predictions()) == {*made, "tomorrow"}

    app.goto("/Explain")
    expect(app.page.get_by_text(" has z ")).to_be_visible()
    expect(app.page.get_by_text("--predictions tomorrow")).to_be_visible()
    app.page.get_by_test_id("stMain").get_by_role("button", name="Save").click()
    expect(app.page.get_by_text("Saved in ")).to_be_visible()
    app.no_exception()
    assert list((app.server.workspace / "explainability" / "tomorrow").glob("*/report.html"))
