"""Server and browser for a worker, a fresh tab for a test, a screenshot (build/screenshots/) of what failed."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers.driver import CHROMIUM_ARGS, ROOT, App, Server, installed_chromium
from playwright.sync_api import BrowserContext, sync_playwright

FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    return report


@pytest.fixture(scope="session")
def context(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    """One browser for all tests of a worker, 1280 pixels wide: it compiles Streamlit's scripts once."""
    chromium = installed_chromium()
    if not chromium:
        pytest.skip("the browser tests need Debian's chromium, which is not installed")
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            tmp_path_factory.mktemp("chromium"),
            executable_path=chromium,
            headless=True,
            args=CHROMIUM_ARGS,
            viewport={"width": 1280, "height": 860},
            reduced_motion="reduce",
            accept_downloads=True,
        )
        yield context
        context.close()


@pytest.fixture(scope="session")
def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("server"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def server(_server: Server) -> Server:
    """The server of a worker; for the tests of each file its workspace is empty at first."""
    if not _server.process:  # a test has failed between stop and start
        _server.start()
    _server.forget()
    return _server


@pytest.fixture
def scheme() -> str:
    """`light` unless a test is parametrised with another."""
    return "light"


@pytest.fixture
def app(context: BrowserContext, server: Server, scheme: Any, request: pytest.FixtureRequest) -> Iterator[App]:
    """A fresh tab; the test fails if the page asked for anything outside this machine."""
    app = App(context, server, scheme)
    yield app
    if request.node.stash.get(FAILED, False):
        name = re.sub(r"\W+", "_", request.node.nodeid)
        app.page.screenshot(path=ROOT / "build" / "screenshots" / f"{name}.png", full_page=True)
    app.close()
    assert not app.outside
