"""Verbs for tests that run pages in Streamlit without a browser."""

from __future__ import annotations

import shlex
import time
from html import unescape
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from lo2core.pipeline import jobs
from lo2core.store.workspace import Workspace

ROOT = Path(__file__).parents[2]


def dashboard_in(folder: Path, patch: pytest.MonkeyPatch) -> Workspace:
    """The workspace `folder/ws`, which the pages now work on, with the bundles of `folder/models`.

    Caches are not emptied: what they hold of a folder is read again when it changes.
    """
    patch.setenv("LO2_WORKSPACE", str(folder / "ws"))
    patch.setenv("LO2_MODELS", str(folder / "models"))
    return Workspace(folder / "ws")


def page(script: str = "streamlit_app.py", **address: str) -> AppTest:
    """A page of the dashboard, drawn once, as a link with these query parameters opens it."""
    app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=60).switch_page(script)
    for name, value in address.items():
        app.query_params[name] = value
    return app.run()


def texts(app: AppTest) -> str:
    """What the page says, without tables and charts."""
    kinds = (app.text, app.markdown, app.caption, app.subheader)
    return "\n".join([*(str(element.value) for kind in kinds for element in kind), *raw_texts(app)])


def raw_texts(app: AppTest) -> list[str]:
    """The stretches of log and messages that the page shows verbatim."""
    shown = [element.proto.body for element in app.get("html")]
    return [unescape(body.removeprefix("<pre>").removesuffix("</pre>")) for body in shown if body.startswith("<pre>")]


def commands(app: AppTest) -> list[list[str]]:
    """The arguments of each command that the page shows, as a shell splits them."""
    start = "python -m lo2core "
    shown = [text.value.replace("\\\n", "") for text in app.text if text.value.startswith(start)]
    return [shlex.split(one.removeprefix(start)) for one in shown]


def has_button(app: AppTest, label: str) -> bool:
    return any(button.label == label for button in app.button)


def press(app: AppTest, label: str) -> AppTest:
    """Click the button and draw the page again."""
    return next(button for button in app.button if button.label == label).click().run()


def wait_for_job(workspace: Workspace) -> None:
    """Wait until the workspace's job has ended well."""
    deadline = time.monotonic() + 60
    while jobs.status(workspace).running:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert jobs.status(workspace).state == "done", jobs.status(workspace).log_tail
