"""Start the dashboard, after importing the modules that its pages need."""

from __future__ import annotations

import inspect
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import click
from streamlit import App, config
from streamlit.cli_util import open_browser
from streamlit.web.cli import main as streamlit
from streamlit.web.server.server_util import get_display_address, get_url

from lo2core.base.errors import InputError
from lo2core.store.workspace import Workspace
from lo2core.ui.shell.memory import set_modules_aside

PACKAGE = Path(__file__).parents[1]
SCRIPT = PACKAGE.parent / "streamlit_app.py"


def serve(workspace: Workspace | None = None, port: int | None = None, browser: bool = True) -> None:
    """Serve until interrupted; opens `workspace` first, by default the one that page Overview chooses.

    Without a port it uses 8501 or the next free one. Raises InputError if the port cannot be used, or if the pages are
    missing, as in an installed package.
    """
    if not SCRIPT.is_file():
        raise InputError(f"The dashboard's pages are not at {SCRIPT.parent}: run this from a clone of the project.")
    if port:
        _try(port)
    if workspace:
        os.environ["LO2_WORKSPACE"] = str(workspace.root)
    warm_up()
    options = ([] if browser else ["--server.headless", "true"]) + (["--server.port", str(port)] if port else [])
    with suppress(click.Abort):  # Ctrl-C
        streamlit(["run", str(SCRIPT), *options], prog_name="streamlit", standalone_mode=False)


@asynccontextmanager
async def announced(_: App) -> AsyncIterator[None]:
    """While the server runs: print the dashboard's address, and open it in a browser unless the server is headless."""
    chosen = "browser.serverAddress" if config.is_manually_set("browser.serverAddress") else "server.address"
    address = get_display_address(config.get_option(chosen) or "localhost")
    url = get_url(f"[{address}]" if ":" in address else address)
    print(f"The dashboard is at {url}. Stop it with Ctrl-C.", flush=True)
    if not config.get_option("server.headless"):
        open_browser(url)
    yield


def _try(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as error:
            why = getattr(error, "strerror", None) or error
            raise InputError(f"Port {port} cannot be used ({why}): choose another, or leave --port out.") from None


def warm_up() -> None:
    """Import what pages need before a browser waits for it, which saves 1-2 s.

    The first element makes Streamlit inspect the stack, so Python looks up the file of each module; the first chart
    makes Altair read its schema. Both results are kept, so this requests them in advance.
    """
    found = [module.name for module in walk_packages([str(PACKAGE)], "lo2core.")]
    ours = [name for name in found if not name.startswith(("lo2core.__main__", "lo2core.cli"))]
    for module in ("altair", "pandas", "scipy.stats", "streamlit", *ours):
        import_module(module)
    inspect.stack()
    from lo2core.report.charts.base import threshold_rule  # imports Altair

    threshold_rule(0.0).to_dict()
    set_modules_aside()
