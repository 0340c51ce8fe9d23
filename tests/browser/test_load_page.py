"""A zip from upload to its lines, in a real browser."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import pytest
from helpers.driver import App
from playwright.sync_api import expect

from lo2core.pipeline import jobs


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory, sample_logs: Path) -> Path:
    """Two test cases of one run of the sample."""
    path = tmp_path_factory.mktemp("upload") / "to day.zip"
    run = min(folder for folder in sample_logs.iterdir() if folder.is_dir())
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as pack:
        for log in [*run.glob("correct_1/*"), *run.glob("get_client_404_no_client/*")]:
            pack.write(log, log.relative_to(sample_logs))
    return path


def test_an_uploaded_zip_is_loaded_and_its_lines_are_searched_and_seen_among_those_of_all_services(
    app: App, archive: Path
) -> None:
    app.goto("/Load")
    app.page.get_by_text("upload", exact=True).click()
    app.page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(archive)
    app.sees("full set: 1 run, 2 test case folders")
    assert (app.server.workspace / "uploads" / "to_day" / "to_day.zip").stat().st_size == archive.stat().st_size
    app.click("Load")
    app.sees("Account of all lines")
    app.sees("All files were read")
    app.no_exception()
    assert jobs.status(app.server.workspace).state == "done"

    search = app.page.get_by_role("textbox", name="Search")
    search.fill("CLIENT_NOT_FOUND")
    search.press("Enter")
    expect(app.page.get_by_text("8 events", exact=True)).to_be_visible()
    lines = app.page.get_by_role("table", name="Log lines")
    expect(lines.locator("mark").first).to_have_text("CLIENT_NOT_FOUND")
    lines.get_by_role("button", name="Show the whole event").first.click()
    expect(lines.locator("pre")).to_contain_text("CLIENT_NOT_FOUND")
    service = lines.get_by_role("cell", name="client").first
    service.hover()
    service.get_by_role("button", name="Not service client").click()
    expect(app.page.get_by_text("8 events", exact=True)).to_have_count(0)
    expect(app.page).to_have_url(re.compile(r"lines=CLIENT_NOT_FOUND\+--exclude\+service%3Dclient"))
    app.page.go_back()
    expect(app.page.get_by_text("8 events", exact=True)).to_be_visible()
    lines.get_by_role("button", name="Show the whole event").first.click()
    lines.get_by_role("button", name="Lines of all services around this one").click()
    around = app.page.get_by_role("table", name="Log lines").first
    expect(around.locator(".marked")).to_contain_text("CLIENT_NOT_FOUND")
    app.no_exception()
