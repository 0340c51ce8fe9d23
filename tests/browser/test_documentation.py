"""The built documentation in a browser, opened as a file: it can be searched, and asks no other host for anything."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, expect


@pytest.mark.parametrize("name", ["index.html", "docs/glossary.html", "api/lo2core.html"])
def test_a_page_loads_from_its_own_folder_only(context: BrowserContext, site: Path, name: str) -> None:
    page, loaded = context.new_page(), []
    page.on("request", lambda request: loaded.append(request.url))
    page.goto((site / name).as_uri(), wait_until="networkidle")
    page.evaluate("fetch('https://example.org/').catch(() => {})")
    page.close()
    assert len(loaded) > 3
    assert {urlsplit(url).scheme for url in loaded} <= {"file", "data"}


def test_the_search_finds_a_term(context: BrowserContext, site: Path) -> None:
    page = context.new_page()
    page.goto((site / "index.html").as_uri())
    page.get_by_role("button", name="Search").click()
    page.get_by_placeholder("Search").fill("alert budget")
    expect(page.get_by_role("option", name="Alert budget").first).to_be_visible()
    page.close()
