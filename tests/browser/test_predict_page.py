"""Train and Predict in a real browser: vouching for a bundle, the budget slider, saving, from a cell to Explain."""

from __future__ import annotations

import re
import shutil
import zipfile
from pathlib import Path

import pytest
from helpers.driver import App, Server
from playwright.sync_api import expect

from lo2core.store import signing
from lo2core.store.workspace import Workspace

NAME = "lo2_nn_predictions"


@pytest.fixture(scope="module", autouse=True)
def model(server: Server, trained_runs: Path) -> Path:
    """Two runs of the sample loaded, and a bundle trained on them."""
    shutil.copytree(trained_runs, server.workspace.parent, dirs_exist_ok=True)
    return server.models / "lo2_nn.joblib"


def test_a_bundle_that_a_person_vouched_for_scores_and_a_field_leads_to_its_lines_and_back(
    app: App, model: Path
) -> None:
    signing.manifest_path(model).unlink()
    app.goto("/Predict")
    app.sees("was not opened")
    app.page.get_by_role("link", name="Go to page Train").click()
    app.click("Trust ...")
    app.sees("run any code that it contains")
    app.click("Trust it")
    app.sees("lo2_nn.joblib is now signed.")
    app.page.get_by_role("link", name="Score logs with this model").click()
    app.click("Predict")
    flagged = app.page.get_by_text("Threshold z = ")
    before = flagged.inner_text()
    app.page.get_by_role("slider").press("End")
    expect(flagged).not_to_have_text(before)
    expect(app.command).to_contain_text("--budget")
    budget = str(app.page.get_by_role("slider").input_value())
    app.page.get_by_text("heat map", exact=True).click()
    fields = app.page.get_by_test_id("stVegaLiteChart").nth(1).locator(".mark-rect.role-mark path")
    field = fields.and_(app.page.locator('[aria-label*="service: user"]')).first
    app.fits()
    heading = app.page.get_by_role("heading", name="Explain", level=1)
    app.until(lambda: field.click(position={"x": 4, "y": 4}), heading)  # beside the dot in its middle
    expect(app.page).to_have_url(re.compile(r"run=light-oauth2-data-\d+&folder=\w+&service=user"))
    app.page.set_viewport_size({"width": 1280, "height": 800})
    expect(app.page.locator(".st-key-telling pre")).to_be_in_viewport(ratio=1)
    expect(app.page.locator(".st-key-telling pre")).to_contain_text("ERROR")
    app.page.go_back()
    expect(app.command).to_contain_text(f"--budget {budget}")
    expect(app.page.get_by_role("slider")).to_have_value(budget)
    app.click("Save")
    app.sees(f"Saved as {NAME}.")
    app.page.reload()
    app.sees("Threshold z = ")
    assert Workspace(app.server.workspace).predictions() == [NAME]
    app.no_exception()


def test_new_logs_are_scored_and_compared_with_the_last_ones_in_four_clicks(
    app: App, sample_logs: Path, tmp_path: Path
) -> None:
    run = max(folder for folder in sample_logs.iterdir() if folder.is_dir())
    with zipfile.ZipFile(tmp_path / "today.zip", "w", zipfile.ZIP_DEFLATED) as pack:
        for log in [*run.glob("correct_1/*"), *run.glob("get_client_404_no_client/*")]:
            pack.write(log, log.relative_to(sample_logs))
    app.goto("/")
    app.page.evaluate("window.clicks = 0; addEventListener('click', () => window.clicks++, true)")
    app.click("Score new logs")
    app.page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(tmp_path / "today.zip")
    expect(app.page.get_by_text("1 run, 2 test case folders")).to_be_visible()
    app.page.get_by_role("button", name="Score", exact=True).click()
    expect(app.page.get_by_text("Today: 1 of 2 incidents flagged; one fault known since")).to_be_visible()
    expect(app.page.get_by_role("link", name="See the result")).to_have_count(0)  # it is here
    app.page.get_by_role("link", name="Compare them").click()
    expect(app.page.get_by_role("heading", name="Compare", level=1)).to_be_visible()
    expect(app.page).to_have_url(re.compile(rf"a={NAME}&b=today(%2F|/){NAME}"))
    assert app.page.evaluate("window.clicks") == 3  # and the file that was dropped
    app.no_exception()
