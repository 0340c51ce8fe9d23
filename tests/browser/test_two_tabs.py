"""A small part of `make torture`: two tabs at once, on the server of the other tests."""

from __future__ import annotations

import random
from pathlib import Path

from helpers.driver import App, Server
from helpers.scored import score_sample
from playwright.sync_api import BrowserContext
from torture.browsers import check, click_through
from torture.figures import Figures


def test_two_tabs_click_through_the_pages(
    context: BrowserContext, server: Server, loaded_sample: Path, sample_logs: Path
) -> None:
    score_sample(loaded_sample, sample_logs, server.workspace.parent)
    figures, rounds = Figures(), iter(range(2))
    apps = [App(context, server, scheme) for scheme in ("light", "dark")]
    for app, path in zip(apps, ("/Explain", "/Compare"), strict=True):
        app.goto(path)
        check(app, figures)
    click_through(apps, random.Random(7), figures, lambda: next(rounds, None) is not None)
    for app in apps:
        app.close()
    assert not figures.failures
    assert figures.counts["clicks"] > 2
