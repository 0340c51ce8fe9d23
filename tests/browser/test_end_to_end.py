"""The whole way, in a real browser: the sample from the first click to an explanation, and what is never mistaken."""

from __future__ import annotations

from pathlib import Path

from helpers.driver import App
from playwright.sync_api import expect

from lo2core.store.workspace import Workspace

SECOND = "sample_oov"
"""The second model of the sample."""


def choose(app: App, label: str, option: str) -> None:
    """Choose an option of a field."""
    app.page.get_by_role("combobox", name=label).click()
    app.page.get_by_role("option", name=option).first.click()


def test_from_the_first_click_to_a_saved_prediction_and_its_explanation(app: App) -> None:
    app.goto("/")
    app.click("Try the sample")
    expect(app.page.get_by_text("Worst incidents")).to_be_visible(timeout=300_000)
    app.no_exception()
    made = Workspace(app.server.workspace).predictions()
    assert set(made) == {"sample_nn_predictions", f"{SECOND}_predictions"}
    expect(app.page.locator(".st-key-chain")).to_contain_text("Modelsample_nn")

    app.follow("Predict")
    choose(app, "Model", SECOND)
    app.click("Predict")
    app.sees("Incidents, worst first")
    app.no_exception()
    app.page.get_by_label("Save as").fill("tomorrow")
    app.page.get_by_label("Save as").press("Enter")
    app.settled()
    app.until(lambda: app.click("Save"), app.page.get_by_text("Saved as tomorrow."), 15_000)
    assert set(Workspace(app.server.workspace).predictions()) == {*made, "tomorrow"}

    app.follow("Overview")  # the newest prediction and its own model, although another one was trained after it
    expect(app.page.locator(".st-key-chain")).to_contain_text("tomorrow")
    expect(app.page.locator(".st-key-chain")).to_contain_text(f"Model{SECOND}")

    app.follow("Explain")
    app.sees(" has z ")
    expect(app.command).to_contain_text("--predictions tomorrow")
    app.page.get_by_test_id("stMain").get_by_role("button", name="Save").click()
    app.sees("Saved in ")
    app.no_exception()
    assert list((app.server.workspace / "explainability" / "tomorrow").glob("*/report.html"))


def test_what_is_renamed_deleted_or_not_there_yet_is_never_taken_for_something_else(app: App, tmp_path: Path) -> None:
    dialog = app.page.get_by_role("dialog")
    app.goto("/Predict?bundle=sample_nn")
    app.sees("Threshold z = ")
    app.click("Files")
    choose(app, "Rename, delete or write a note about", "model sample_nn")
    dialog.get_by_role("textbox", name="Name").fill("lo2_nn")
    dialog.get_by_role("textbox", name="Note").fill("trained on the sample")
    dialog.get_by_role("textbox", name="Note").press("Enter")
    app.settled()
    dialog.get_by_role("button", name="Save").click()
    app.sees("The model sample_nn is called lo2_nn now.")
    choose(app, "Rename, delete or write a note about", "prediction tomorrow")
    dialog.get_by_role("button", name="Delete").click()
    app.sees("The prediction tomorrow is in the trash.")
    assert "tomorrow" not in Workspace(app.server.workspace).predictions()
    dialog.get_by_role("button", name="Restore").click()
    app.sees("The prediction tomorrow is back.")
    # No other model scores instead of the one that is gone.
    told = app.page.get_by_text("There is no model sample_nn in this list.").first
    app.until(lambda: app.page.keyboard.press("Escape"), told)
    expect(app.page.get_by_text("Threshold z = ")).to_have_count(0)
    app.goto("/Explain?prediction=sample_nn_predictions")
    app.sees(" has z ")
    app.no_exception()

    logs, new = app.server.workspace / "logs", tmp_path / "week 7"
    app.click("Another folder")
    app.page.get_by_label("Folder", exact=True).fill(str(new))
    app.click("Open folder")
    expect(app.command).to_contain_text(f"'{new}'")
    app.follow("Train")
    expect(app.command).to_contain_text("week_7_nn.joblib")  # not the model of another workspace
    app.follow("Load")
    app.page.get_by_label("Folder, archive or log file on this machine").fill(str(logs))
    app.page.get_by_label("Folder, archive or log file on this machine").press("Enter")
    app.sees(f"Creates {new}.")
    app.page.reload()
    app.sees(f"The workspace {new} does not exist yet.")
    app.no_exception()
