"""What all pages share: they say what they are for, follow light and dark, keep the workspace, answer to keys."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote

import pytest
from helpers.driver import App
from playwright.sync_api import expect

PURPOSES = {
    "Overview": "The state of each step",
    "Load": "Read logs from folders, archives or single files",
    "Enhance": "Mask the variable parts of log lines",
    "Train": "Learn the normal behaviour of each service",
    "Predict": "Score logs with a saved model",
    "Explain": "Why an incident was flagged",
    "Compare": "Compare two saved predictions",
}


LIGHT, DARK = re.compile(r"rgb\((2\d\d, ){2}2\d\d\)"), re.compile(r"rgb\((\d\d?, ){2}\d\d?\)")


def test_side_bar_leads_to_every_page_which_says_what_it_is_for_and_follows_the_systems_colour_scheme(app: App) -> None:
    app.goto("/")
    for title, purpose in PURPOSES.items():
        app.follow(title)
        for scheme, colour in (("light", LIGHT), ("dark", DARK)):
            app.page.emulate_media(color_scheme=scheme)
            expect(app.page.get_by_test_id("stApp")).to_have_css("background-color", colour)
        expect(app.page.get_by_text(purpose)).to_be_visible()
        expect(app.page.get_by_text("Do the same from a terminal")).to_be_visible()
        app.no_exception()
        app.fits()


def open_folder(app: App, folder: str) -> None:
    app.click("Another folder")
    app.page.get_by_label("Folder", exact=True).fill(folder)
    app.click("Open folder")


def test_a_file_is_refused_as_a_workspace_and_a_folder_that_does_not_exist_yet_is_kept(
    app: App, tmp_path: Path
) -> None:
    folder = tmp_path / "my logs"
    app.goto("/Load")
    open_folder(app, __file__)
    expect(app.page.get_by_role("dialog").get_by_text(f"Cannot write to {__file__}")).to_be_visible()
    app.page.keyboard.press("Escape")
    expect(app.page.get_by_role("dialog")).to_have_count(0)
    expect(app.command).not_to_contain_text(__file__)
    open_folder(app, str(folder))
    expect(app.command).to_contain_text(f"'{folder}'")
    app.follow("Enhance")
    app.page.reload()
    app.settled()
    expect(app.page.get_by_text(f"The workspace {folder} does not exist yet")).to_be_visible()
    expect(app.command).to_contain_text(f"'{folder}'")
    app.no_exception()


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """A workspace that the server knows nothing of."""
    (tmp_path / "lo2_counts.parquet").touch()
    return tmp_path


def test_back_keeps_the_workspace_and_what_was_chosen_and_another_choice_takes_it(app: App, other: Path) -> None:
    at_other = re.compile(rf"[?&]ws={re.escape(quote(str(other), safe=''))}")
    app.goto(f"/Compare?ws={other}&a=x&b=y")
    app.click("Score logs")
    app.is_on("Predict")
    expect(app.page).to_have_url(at_other)
    app.follow("Train")
    app.follow("Compare")
    expect(app.page).to_have_url(re.compile("/Compare.*a=x&b=y"))
    for title in ("Train", "Predict", "Compare"):
        app.page.go_back()
        app.is_on(title)
        expect(app.page).to_have_url(at_other)
        expect(app.command).to_contain_text(str(other))
    expect(app.page).to_have_url(re.compile("/Compare.*a=x&b=y"))
    app.page.get_by_test_id("stSidebar").get_by_role("combobox").click()
    app.page.get_by_role("option", name=str(app.server.workspace)).click()
    expect(app.page).to_have_url(re.compile(rf"/Compare\?ws={re.escape(quote(str(app.server.workspace), safe=''))}$"))
    expect(app.command).to_contain_text(str(app.server.workspace))


def test_terms_are_searched_shortcuts_listed_the_search_is_a_key_away_and_the_view_is_copied(
    app: App, loaded_sample: Path
) -> None:
    app.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    app.goto(f"/Load?ws={loaded_sample}&sample=")
    search = app.page.get_by_role("textbox", name="Search")
    search.wait_for()
    focused = app.page.locator("input[placeholder='part of a raw line']:focus")
    app.until(lambda: app.page.keyboard.press("/"), focused, 500)  # the listener may be loaded later than the page
    app.page.keyboard.type("a/?")
    expect(search).to_have_value("a/?")
    app.page.keyboard.press("Escape")
    expect(search).not_to_be_focused()
    expect(app.page.get_by_text("0 events", exact=True)).to_be_visible()
    app.page.keyboard.press("?")
    dialog = app.page.get_by_role("dialog")
    expect(dialog.get_by_text("next incident")).to_be_visible()
    app.page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    for button, copied in (("Copy command", "python -m lo2core load "), ("Copy link to this view", app.server.url)):
        app.click(button)
        app.page.wait_for_function("start => navigator.clipboard.readText().then(t => t.startsWith(start))", arg=copied)
    assert "sample=" not in app.page.evaluate("navigator.clipboard.readText()"), "an empty parameter says nothing"
    app.click("Glossary")
    expect(dialog.get_by_text("Workspace", exact=True)).to_be_visible()
    dialog.get_by_role("textbox", name="Search").fill("false alarms you accept")
    dialog.get_by_role("textbox", name="Search").press("Enter")
    expect(dialog.get_by_text("Workspace", exact=True)).to_have_count(0)
    expect(dialog.get_by_text("Alert budget", exact=True)).to_be_visible()
    app.no_exception()
