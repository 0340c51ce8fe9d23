"""What all pages share: they open, say what they are for, follow light and dark, keep the workspace."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote

import pytest
from helpers.driver import App
from playwright.sync_api import expect

PURPOSES = {
    "/": "The state of each step",
    "/Load": "Read logs from folders, archives or single files",
    "/Enhance": "Mask the variable parts of log lines",
    "/Train": "Learn the normal behaviour of each service",
    "/Predict": "Score logs with a saved model",
    "/Explain": "Why an incident was flagged",
    "/Compare": "Compare two saved predictions",
}


LIGHT, DARK = re.compile(r"rgb\((2\d\d, ){2}2\d\d\)"), re.compile(r"rgb\((\d\d?, ){2}\d\d?\)")


@pytest.mark.parametrize("path", PURPOSES)
def test_page_opens_by_its_address_says_what_it_is_for_and_follows_the_systems_colour_scheme(
    app: App, path: str
) -> None:
    app.goto(path)
    for scheme, colour in (("light", LIGHT), ("dark", DARK)):
        app.page.emulate_media(color_scheme=scheme)
        expect(app.page.get_by_test_id("stApp")).to_have_css("background-color", colour)
        app.no_exception()
        expect(app.page.get_by_text(PURPOSES[path])).to_be_visible()
        expect(app.page.get_by_text("Do the same from a terminal")).to_be_visible()
        assert app.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize("scheme", ["dark"])
def test_side_bar_leads_to_every_page(app: App, scheme: str) -> None:
    app.goto("/")
    expect(app.page.get_by_test_id("stApp")).to_have_css("background-color", DARK)
    for title in ("Load", "Enhance", "Train", "Predict", "Explain", "Compare", "Overview"):
        app.page.get_by_test_id("stSidebar").get_by_role("link", name=title).click()
        expect(app.page.get_by_role("heading", name=title, level=1)).to_be_visible()
    app.no_exception()


def test_a_file_is_refused_as_a_workspace_and_another_one_is_kept_from_page_to_page_and_after_a_reload(
    app: App, tmp_path: Path
) -> None:
    folder = tmp_path / "my logs"
    folder.mkdir()
    (folder / "lo2_counts.parquet").touch()
    app.goto("/Load")
    app.click("Another folder")
    app.page.get_by_label("Folder", exact=True).fill(__file__)
    app.click("Open folder")
    expect(app.page.get_by_role("dialog").get_by_text(f"Cannot write to {__file__}")).to_be_visible()
    app.page.keyboard.press("Escape")
    expect(app.page.get_by_role("dialog")).to_have_count(0)
    expect(app.command).not_to_contain_text(__file__)
    app.click("Another folder")
    app.page.get_by_label("Folder", exact=True).fill(str(folder))
    app.click("Open folder")
    expect(app.command).to_contain_text(f"'{folder}'")
    app.page.get_by_test_id("stSidebar").get_by_role("link", name="Enhance").click()
    expect(app.page.get_by_role("heading", name="Enhance", level=1)).to_be_visible()
    expect(app.command).to_contain_text(f"'{folder}'")
    app.page.reload()
    app.settled()
    expect(app.command).to_contain_text(f"'{folder}'")


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """A workspace that the server knows nothing of."""
    (tmp_path / "lo2_counts.parquet").touch()
    return tmp_path


def test_reload_and_a_restart_keep_the_workspace(app: App, other: Path) -> None:
    at_other = re.compile(rf"[?&]ws={re.escape(quote(str(other), safe=''))}")
    app.goto(f"/Compare?ws={other}&a=x&b=y")
    app.click("Score logs")
    expect(app.page.get_by_role("heading", name="Predict", level=1)).to_be_visible()
    expect(app.page).to_have_url(at_other)
    app.page.get_by_test_id("stSidebar").get_by_role("link", name="Train").click()
    expect(app.page.get_by_role("heading", name="Train", level=1)).to_be_visible()
    expect(app.page).to_have_url(at_other)
    app.page.reload()
    app.settled()
    expect(app.command).to_contain_text(str(other))
    app.survive_restart()
    app.page.get_by_test_id("stSidebar").get_by_role("link", name="Predict").click()
    expect(app.page.get_by_role("heading", name="Predict", level=1)).to_be_visible()
    expect(app.page).to_have_url(at_other)
    expect(app.command).to_contain_text(str(other))


def test_back_keeps_the_workspace_and_what_was_chosen_and_another_choice_takes_it(app: App, other: Path) -> None:
    at_other = re.compile(rf"[?&]ws={re.escape(quote(str(other), safe=''))}")
    app.goto(f"/Compare?ws={other}&a=x&b=y")
    app.click("Score logs")
    expect(app.page.get_by_role("heading", name="Predict", level=1)).to_be_visible()
    app.page.get_by_test_id("stSidebar").get_by_role("link", name="Train").click()
    expect(app.page.get_by_role("heading", name="Train", level=1)).to_be_visible()
    app.page.go_back()
    expect(app.page.get_by_role("heading", name="Predict", level=1)).to_be_visible()
    expect(app.page).to_have_url(at_other)
    expect(app.command).to_contain_text(str(other))
    app.page.go_back()
    expect(app.page).to_have_url(re.compile("/Compare.*a=x&b=y"))
    expect(app.page).to_have_url(at_other)
    expect(app.command).to_contain_text(str(other))
    app.page.get_by_test_id("stSidebar").get_by_role("combobox").click()
    app.page.get_by_role("option", name=str(app.server.workspace)).click()
    expect(app.page).to_have_url(re.compile(r"/Compare\?ws=[^&]*$"))
    expect(app.command).to_contain_text(str(app.server.workspace))


def test_the_side_bar_leads_back_to_what_was_chosen_and_back_still_leads_back(app: App, other: Path) -> None:
    app.goto(f"/Compare?ws={other}&a=x&b=y")
    for name in ("Explain", "Compare"):
        app.page.get_by_test_id("stSidebar").get_by_role("link", name=name).click()
        expect(app.page.get_by_role("heading", name=name, level=1)).to_be_visible()
    expect(app.page).to_have_url(re.compile("/Compare.*a=x&b=y"))
    app.page.go_back()
    expect(app.page.get_by_role("heading", name="Explain", level=1)).to_be_visible()
    app.page.go_back()
    expect(app.page).to_have_url(re.compile("/Compare.*a=x&b=y"))


def test_the_default_workspace_is_in_the_address_too_and_back_leads_on_from_there(app: App) -> None:
    at_default = re.compile(rf"[?&]ws={re.escape(quote(str(app.server.workspace), safe=''))}")
    app.goto("/Load")
    expect(app.page).to_have_url(at_default)
    app.page.get_by_test_id("stSidebar").get_by_role("link", name="Enhance").click()
    expect(app.page.get_by_role("heading", name="Enhance", level=1)).to_be_visible()
    app.page.go_back()
    expect(app.page.get_by_role("heading", name="Load", level=1)).to_be_visible()
    expect(app.page).to_have_url(at_default)


def test_a_workspace_that_does_not_exist_yet_stays_the_workspace_after_a_reload(app: App, tmp_path: Path) -> None:
    app.goto(f"/Load?ws={tmp_path / 'new'}")
    for _ in range(2):
        app.no_exception()
        expect(app.page.get_by_text(f"The workspace {tmp_path / 'new'} does not exist yet")).to_be_visible()
        expect(app.command).to_contain_text(f"--output-dir {tmp_path / 'new'}")
        app.page.reload()
        app.settled()


def test_the_glossary_is_searched(app: App) -> None:
    app.goto("/Load")
    app.click("Glossary")
    dialog = app.page.get_by_role("dialog")
    expect(dialog.get_by_text("Workspace", exact=True)).to_be_visible()
    dialog.get_by_role("textbox", name="Search").fill("false alarms you accept")
    dialog.get_by_role("textbox", name="Search").press("Enter")
    expect(dialog.get_by_text("Workspace", exact=True)).to_have_count(0)
    expect(dialog.get_by_text("Alert budget", exact=True)).to_be_visible()
    app.no_exception()


def test_shortcuts_are_listed_the_search_is_a_key_away_and_the_view_is_copied(app: App, loaded_sample: Path) -> None:
    app.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    app.goto(f"/Load?ws={loaded_sample}")
    search = app.page.get_by_role("textbox", name="Search")
    expect(search).to_be_visible()
    focused = app.page.locator("input[placeholder='part of a raw line']:focus")
    app.until(lambda: app.page.keyboard.press("/"), focused)  # the listener may be loaded later than the page
    app.page.keyboard.type("a/?")
    expect(search).to_have_value("a/?")
    app.page.keyboard.press("Escape")
    expect(search).not_to_be_focused()
    expect(app.page.get_by_text("0 events", exact=True)).to_be_visible()
    app.page.keyboard.press("?")
    expect(app.page.get_by_role("dialog").get_by_text("next incident")).to_be_visible()
    app.page.keyboard.press("Escape")
    expect(app.page.get_by_role("dialog")).to_have_count(0)
    for button, copied in (("Copy command", "python -m lo2core load "), ("Copy link to this view", app.server.url)):
        app.click(button)
        expect(app.page.get_by_role("button", name="Copied")).to_be_visible()
        assert app.page.evaluate("navigator.clipboard.readText()").startswith(copied)
        expect(app.page.get_by_role("button", name="Copied")).to_have_count(0)
