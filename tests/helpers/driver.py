"""A real server and a real Chromium, with the few verbs that browser tests speak."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, Error, Locator, Page, expect

ROOT = Path(__file__).parents[2]
LOCAL = {"127.0.0.1", "localhost"}
PATIENCE = 60_000
"""Milliseconds after which a test gives up: a busy machine may be ten times slower than a quiet one."""
expect.set_options(timeout=PATIENCE)

CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--js-flags=--no-opt,--no-maglev",  # a page lives for seconds: optimising its code costs more than it saves
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]


def installed_chromium() -> str | None:
    """Path of the Chromium to drive; the one without windows comes first, as it needs a quarter less CPU time."""
    names = ("chromium-headless-shell", "chromium", "chromium-browser")
    return next(filter(None, map(shutil.which, names)), None)


class Server:
    """The dashboard on a free port of the loopback, with a workspace and a models folder of its own."""

    def __init__(self, folder: Path, script: str = "") -> None:
        """Without a script the dashboard's own command serves it, with one `streamlit run` does."""
        self.script = script
        self.workspace, self.models, self.log = folder / "ws", folder / "models", folder / "server.log"
        self.port = _free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start and wait until it answers; raises `TimeoutError` with the server's log."""
        ours = ["lo2core", "dashboard", "--no-browser", "--port", str(self.port)]
        bare = ["streamlit", "run", self.script, "--server.headless", "true", "--server.port", str(self.port)]
        env = os.environ | {"LO2_WORKSPACE": str(self.workspace), "LO2_MODELS": str(self.models)}
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", *(bare if self.script else ours)]
            self.process = subprocess.Popen(command, env=env, stdout=log, stderr=log)
        deadline = time.monotonic() + 60
        while not self.healthy():
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise TimeoutError(f"the server did not start:\n{self.log.read_text()}")
            time.sleep(0.1)

    def stop(self) -> int:
        """Interrupt the server as Ctrl-C does; returns its exit status."""
        status = 0
        if self.process:
            self.process.send_signal(signal.SIGINT)
            status = self.process.wait(20)
            self.process = None
        return status

    def restart(self) -> None:
        """Close everything and come back, on the same port: only what is on disk survives."""
        self.stop()
        self.start()

    def forget(self) -> None:
        """Remove workspace and models: a new one starts with other tests."""
        for folder in (self.workspace, self.models):
            shutil.rmtree(folder, ignore_errors=True)

    def healthy(self, patience_s: float = 1) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=patience_s) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


class App:
    """One browser tab on the dashboard. It notes each request that would leave the machine; no such name resolves."""

    def __init__(self, context: BrowserContext, server: Server, scheme: str) -> None:
        self.server = server
        self.outside: list[str] = []
        self.page: Page = context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        self.page.on("requestfailed", lambda request: self._note(request.url))  # as no such name resolves
        self.page.on("websocket", lambda socket: self._note(socket.url))

    def goto(self, path: str = "/") -> None:
        """Open a page by its address (``"/Load"``, ``"/Explain?ws=..."``) and wait until it is drawn."""
        self.page.goto(self.server.url + path)
        self.settled()

    def click(self, name: str) -> None:
        """Click the button with this label (beside an icon or not); the caller waits for what it should do."""
        self.page.get_by_role("button", name=re.compile(rf"(^|\s){re.escape(name)}(\s|$)")).click()

    def tick(self, table: Locator, row: int = 0) -> None:
        """Tick a row of a table, counted from 0, and wait until the table shows it ticked.

        The table is a canvas, with a copy for screen readers that appears once it is drawn.
        """
        found = table.locator(f'tr[aria-rowindex="{row + 2}"]')
        found.wait_for(state="attached")
        place = {"x": 16, "y": 36 + 28 * row + 14}
        self.until(lambda: table.click(position=place), found.and_(table.locator('[aria-selected="true"]')))

    def until(self, act: Callable[[], object], seen: Locator, first: int = 5_000) -> None:
        """Repeat what may be lost while a page or a chart is still being drawn, until its effect is there.

        first: milliseconds until the first repetition.
        """
        for patience in (first, 10_000, 20_000):
            self.page.set_default_timeout(patience)
            with suppress(Error):
                act()
            with suppress(Error):
                seen.wait_for(state="attached")
                break
        self.page.set_default_timeout(PATIENCE)
        seen.wait_for(state="attached")

    def settled(self) -> None:
        """Wait until the script has run and its heading is there."""
        self.page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]')
        self.page.wait_for_selector("h1")

    def sees(self, text: str | re.Pattern[str]) -> None:
        """Wait until a text is shown. Unlike `expect` this asks at short intervals."""
        self.page.get_by_text(text).first.wait_for()

    def is_on(self, title: str) -> None:
        """Wait until the page with this title is open."""
        self.page.get_by_role("heading", name=title, level=1).wait_for()

    def follow(self, title: str) -> None:
        """Go to a page by its link in the side bar."""
        self.page.get_by_test_id("stSidebar").get_by_role("link", name=title).click()
        self.is_on(title)

    def no_exception(self) -> None:
        self.settled()
        expect(self.page.get_by_test_id("stException").or_(self.page.get_by_text("Unexpected error"))).to_have_count(0)

    def fits(self) -> None:
        """The page is not wider than its window."""
        assert self.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")

    @property
    def command(self) -> Locator:
        """The command at the page's end that does the same."""
        return self.page.locator("[class*=st-key-terminal]").last

    def close(self) -> None:
        """Close the tab; the next one finds nothing of it."""
        self.page.evaluate("localStorage.clear()")
        self.page.context.clear_cookies()
        self.page.close()

    def _note(self, url: str) -> None:
        if urlsplit(url).hostname not in LOCAL and not url.startswith(("data:", "blob:")):
            self.outside.append(url)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
