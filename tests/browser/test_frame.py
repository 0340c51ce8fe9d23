"""What all pages share: they open, say what they are for, follow light and dark, keep the workspace."""

from __future__ import annotations

from pathlib import Path

import pytest
from driver import App
from playwright.sync_api import expect

PURPOSES = {
    "/": "From folders of logs to the lines that went wrong",
    "/Load": "Read folders, archives or single log files",
    "/Enhance": "Mask what changes from line to line",
    "/Train": "Learn what normal looks like",
    "/Predict": "Score logs with a saved model",
    "/Explain": "See why an incident was flagged",
    "/Compare": "Set two saved predictions side by side",
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PURPOSES)
def test_page_opens_by_its_address_and_says_what_it_is_for(app: App, path: str, scheme: str) -> None:
    app.goto(path)
    app.no_exception()
    expect(app.page.get_by_text(PURPOSES[path])).to_be_visible()
    expect(app.page.get_by_text("Do the same from a terminal")).to_be_visible()
    assert app.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_follow_the_systems_colour_scheme(app: App, scheme: str) -> None:
    app.goto("/Load")
    colour = app.page.get_by_test_id("stApp").evaluate("e => getComputedStyle(e).backgroundColor")
    lightness = sum(int(part) for part in colour.removeprefix("rgb(").rstrip(")").split(",")) / 3
    assert (lightness > 127) == (scheme == "light")


def test_side_bar_leads_to_every_page(app: App) -> None:
    app.goto("/")
    for title in ("Load", "Enhance", "Train", "Predict", "Explain", "Compare", "Overview"):
        app.page.get_by_test_id("stSidebar").get_by_role("link", name=title).click()
        expect(app.page.get_by_role("heading", name=title, level=1)).to_be_visible()
    app.no_exception()


def test_another_workspace_is_kept_from_page_to_page_and_after_a_reload(app: App, tmp_path: Path) -> None:
    folder = tmp_path / "my logs"
    folder.mkdir()
    (folder / "lo2_counts.parquet").touch()
    app.goto("/Load")
    app.click("Another folder")
    app.page.get_by_label("Folder", exact=True).fill(str(folder))
    app.click("Use this folder")
    app.page.get_by_test_id("stSidebar").get_by_role("link", name="Enhance").click()
    expect(app.page.get_by_role("heading", name="Enhance", level=1)).to_be_visible()
    expect(app.page.get_by_test_id("stCode")).to_contain_text(f"'{folder}'")
    app.page.reload()
    app.settled()
    expect(app.page.get_by_test_id("stCode")).to_contain_text(f"'{folder}'")


def test_a_link_opens_no_folder_that_is_not_a_workspace(app: App, tmp_path: Path) -> None:
    app.goto(f"/Load?ws={tmp_path}")
    app.no_exception()
    expect(app.page.get_by_test_id("stCode")).to_contain_text(str(app.server.workspace))
