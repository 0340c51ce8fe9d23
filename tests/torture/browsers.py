"""Browsers that click through all pages of a scored workspace: no page may fail or hang, and no server may grow."""

from __future__ import annotations

import os
import random
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from helpers.driver import CHROMIUM_ARGS, App, Server, installed_chromium
from helpers.scored import score_sample
from playwright.sync_api import Error, sync_playwright
from torture.figures import Figures

from lo2core.load.plan import LoadOptions
from lo2core.load.synthetic import write_sample
from lo2core.pipeline.load import load_logs
from lo2core.store.workspace import Workspace

BROWSERS = 10
WARM_UP = 0.2
"""The share of the time after which memory is measured first: by then the caches of the server are full."""
PATIENCE_MS = 300_000
"""A page that is not drawn after this time hangs: on a busy machine, ten of them at once take more than a minute."""
MAX_GROWTH_MB = 100
"""More than this, over the rest of the time, is a leak; caches are limited by their number of entries."""

PAGES = ("/", "/Load", "/Enhance", "/Train", "/Predict", "/Explain", "/Compare")
WORDS = ("Next", "Previous", "Swap", "Predict", "Explain", "Explain in A", "Explain in B", "Glossary", "Close")
CLICKABLE = ", ".join(
    [
        '[data-testid="stSidebarUserContent"] a:visible',
        '[role="tab"]:visible',
        *(f'button:visible:text-is("{word}")' for word in WORDS),
        '[role="dialog"] button[aria-label="Close"]:visible',
    ]
)
"""What leads to other pages and views; nothing that starts a job or writes into the workspace."""


def torture(amount: int, seed: int) -> Figures:
    """`BROWSERS` browsers, which open each page and then click for `amount` seconds, with the memory of the server."""
    figures, draw = Figures({"browsers": BROWSERS}), random.Random(seed)
    with _scored_server() as server, _browsers(server) as apps:
        for app in apps:
            for path in PAGES:
                app.goto(path)
                check(app, figures)
        began = time.monotonic()
        click_through(apps, draw, figures, lambda: time.monotonic() < began + WARM_UP * amount)
        before = memory_mb(server)
        click_through(apps, draw, figures, lambda: time.monotonic() < began + amount)
        after = memory_mb(server)
    figures.counts |= {"memory of the server before, MB": before, "after, MB": after}
    if after > before + MAX_GROWTH_MB:
        figures.fail(f"the server grew from {before} to {after} MB, which is more than {MAX_GROWTH_MB} MB")
    return figures


def click_through(apps: Sequence[App], draw: random.Random, figures: Figures, goes_on: Callable[[], bool]) -> None:
    """While `goes_on`: a click in each browser, then a look at all of them, so the server answers all at once."""
    while goes_on():
        for app in apps:
            click(app, draw, figures)
        for app in apps:
            check(app, figures)


def click(app: App, draw: random.Random, figures: Figures) -> None:
    """Click something; where the page has changed meanwhile, nothing."""
    targets = app.page.locator(CLICKABLE)
    try:
        targets.nth(draw.randrange(targets.count())).click(timeout=5_000)
        figures.count("clicks")
    except Error:
        app.page.keyboard.press("Escape")  # a dialog is in the way
        figures.count("clicks that came too late")


def check(app: App, figures: Figures) -> None:
    """The page is drawn, by a live server, without an error."""
    drawn = app.page.locator('[data-testid="stApp"][data-test-script-state="notRunning"] h1')
    try:
        drawn.first.wait_for(state="attached", timeout=PATIENCE_MS)
        app.no_exception()
    except (Error, AssertionError) as error:
        figures.fail(f"{app.page.url}: {str(error).splitlines()[0]} The server answers: {app.server.healthy(60)}.")
        app.page.goto("about:blank")
        with suppress(Error):  # the next look at it finds that it is not drawn
            app.page.goto(f"{app.server.url}/", timeout=PATIENCE_MS)
    figures.count("pages looked at")


def memory_mb(server: Server) -> int:
    """The resident memory of the server."""
    assert server.process, "the server has ended"
    said = subprocess.run(["ps", "-o", "rss=", "-p", str(server.process.pid)], capture_output=True, check=True)
    return int(said.stdout) // 1024


@contextmanager
def _scored_server() -> Iterator[Server]:
    """A server of its own, on a workspace that two models have scored."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ.setdefault("LO2_SIGNING_KEY_FILE", str(folder / "signing.key"))
        write_sample(folder / "logs")
        load_logs(Workspace(folder / "loaded"), [folder / "logs"], LoadOptions())
        server = Server(score_sample(folder / "loaded", folder / "logs", folder / "server"))
        server.start()
        try:
            yield server
        finally:
            server.stop()


@contextmanager
def _browsers(server: Server) -> Iterator[list[App]]:
    """Each with cookies and a cache of its own, every other one with the dark theme."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=installed_chromium(), args=CHROMIUM_ARGS)
        contexts = [chromium.new_context() for _ in range(BROWSERS)]
        yield [App(context, server, ("light", "dark")[number % 2]) for number, context in enumerate(contexts)]
        chromium.close()
