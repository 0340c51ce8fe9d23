"""`python -m lo2core dashboard`: it serves the pages, ends when told, and says what is in the way."""

from __future__ import annotations

import gc
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.commands import call, sentence
from helpers.driver import Server
from helpers.pageverbs import dashboard_in, page

LATE = """
import sys
from importlib import import_module
from pkgutil import walk_packages
from lo2core import ui
from lo2core.ui.serve import warm_up

warm_up()
before = set(sys.modules)
for found in walk_packages(ui.__path__, "lo2core.ui."):
    import_module(found.name)
print(*sorted({name.partition(".")[0] for name in set(sys.modules) - before}))
"""


def test_it_serves_until_interrupted_and_ends_without_a_traceback(tmp_path: Path) -> None:
    server = Server(tmp_path)
    server.start()
    assert server.process
    server.process.send_signal(signal.SIGINT)
    assert server.process.wait(20) == 0
    assert server.url in server.log.read_text()
    assert "Traceback" not in server.log.read_text()


def test_a_port_that_is_taken_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert call("dashboard", "--port", port) == 2
    assert f"Port {port} cannot be used (Address already in use)" in sentence(capsys)


def test_a_port_that_cannot_be_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("dashboard", "--port", 70_000) == 2
    assert "Port 70000 cannot be used" in sentence(capsys)


def test_no_page_waits_for_the_import_of_a_library() -> None:
    late = subprocess.run([sys.executable, "-c", LATE], capture_output=True, text=True, check=True)
    assert not set(late.stdout.split()) & {"altair", "dataframely", "numpy", "pandas", "polars", "pyarrow", "scipy"}


def test_a_click_leaves_streamlit_little_to_collect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dashboard_in(tmp_path, monkeypatch)
    app = page()
    frozen = gc.get_freeze_count()
    gc.collect()  # what other tests left does not count
    assert frozen > 5 * len(gc.get_objects())
    app.run()
    assert gc.get_freeze_count() <= frozen
