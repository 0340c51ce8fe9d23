"""The documentation site: it builds without a warning, holds every module, and loads nothing from other hosts."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType

import build_site

import lo2core

OUTSIDE = re.compile(r"\s*(https?:)?//")


class _Page(HTMLParser):
    """What a page loads by itself, and the rule it gives the browser for everything else."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.policy = ""
        self.feed(path.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.loaded += [values[name] for name in ("src", "srcset", "poster", "data") if name in values]
        if tag == "link" and values.get("rel") not in ("canonical", "next", "prev", "edit"):
            self.loaded.append(values["href"])
        if values.get("http-equiv") == "Content-Security-Policy":
            self.policy = values["content"]


def test_pages_load_nothing_from_other_hosts_and_forbid_it_to_their_scripts(site: Path) -> None:
    pages = {path: _Page(path) for path in site.rglob("*.html")}
    assert {path: [url for url in page.loaded if OUTSIDE.match(url)] for path, page in pages.items()} == {
        path: [] for path in pages
    }
    assert {page.policy for page in pages.values()} == {"default-src 'self' 'unsafe-inline' data: blob:"}


def test_style_sheets_load_nothing_from_other_hosts(site: Path) -> None:
    loads = re.compile(r"(?:url\(|@import)\s*[\"']?\s*((?:https?:)?//[^\"')\s]*)")
    assert [found for path in site.rglob("*.css") for found in loads.findall(path.read_text())] == []


def test_every_module_has_a_page_with_its_contents(site: Path) -> None:
    modules = build_site.modules()
    pages = {path.stem for path in site.glob("api/*.html")}
    assert pages == {name for name, path in modules.items() if path.stat().st_size}
    for name in pages - {"lo2core"}:
        named = re.findall(r"^(?:class|def) ([a-z]\w*)", modules[name].read_text(), re.MULTILINE | re.IGNORECASE)
        text = (site / "api" / f"{name}.html").read_text()
        assert [one for one in named if f'id="{name}.{one}"' not in text] == [], name


def test_every_public_name_is_on_the_page_of_the_package(site: Path) -> None:
    text = (site / "api" / "lo2core.html").read_text()
    names = [name for name in lo2core.__all__ if not isinstance(getattr(lo2core, name), ModuleType)]
    assert [name for name in names if f'id="lo2core.{name}"' not in text] == []
