"""`python -m lo2core dashboard`: whom it answers, what it asks of the network, how it ends, and what is in the way."""

from __future__ import annotations

import gc
import re
import socket
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest
from helpers.commands import call, sentence
from helpers.driver import ROOT, App, Server
from helpers.pageverbs import dashboard_in, page
from streamlit.web.server import starlette
from streamlit.web.server.app_discovery import discover_asgi_app

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


def routes() -> list[str]:
    """A path for each route of Streamlit's server, from the constants that name them, and three addresses of pages."""
    modules = [import_module(f"{starlette.__name__}.{module.name}") for module in iter_modules(starlette.__path__)]
    named = {
        re.sub("{.*?}", "x", value)
        for module in modules
        for name, value in vars(module).items()
        if re.match("_?(BASE_)?ROUTE_", name) and isinstance(value, str)
    }
    assert {"_stcore/stream", "_stcore/health", "_stcore/upload_file/x/x", "media/x", "component/x"} <= named
    return ["/", "/Load", "/static/index.html", *sorted(f"/{path}" for path in named)]


def status(server: Server, path: str, *headers: str, host: str | None = "localhost", method: str = "GET") -> int:
    """The status of the answer to a request that is sent exactly as given."""
    lines = [f"{method} {path} HTTP/1.1", *([f"Host: {host}"] if host is not None else []), *headers, "", ""]
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall("\r\n".join(lines).encode())
        return int(connection.makefile("rb").readline().split()[1])


def upgrade(server: Server, *headers: str, host: str = "localhost") -> int:
    """The status of the answer to a WebSocket's request: 101 if it is accepted."""
    key = "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="
    asked = ("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", key)
    return status(server, "/_stcore/stream", *asked, *headers, host=host)


@pytest.mark.parametrize("path", routes())
def test_no_path_answers_a_host_that_is_not_allowed(server: Server, path: str) -> None:
    assert status(server, path, host="evil.example") == 403
    assert status(server, path) != 403


@pytest.mark.parametrize(
    "host", ["localhost", "LocalHost:{port}", "127.0.0.1:{port}", "[::1]:{port}", "localhost.", "localhost:9999"]
)
def test_each_name_of_the_loopback_is_answered_on_any_port(server: Server, host: str) -> None:
    host = host.format(port=server.port)  # another port is that of a tunnel
    assert status(server, "/_stcore/health", host=host) == 200
    assert upgrade(server, f"Origin: http://{host}", host=host) == 101


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example:{port}",
        "localhost.evil.example",
        "evil.example#localhost",
        "localhost@evil.example",
        "evil.example@localhost",
        "localhost:x",
        "localhost:99999",
        "localhost/",
        "[::1].evil.example",
        "evil[::1]",
        "[::1",
        "127.0.0.2",
        "0.0.0.0",
        "2130706433",
    ],
)
def test_no_other_name_is_answered(server: Server, host: str) -> None:
    host = host.format(port=server.port)
    forwarded = ("X-Forwarded-Host: localhost", "Forwarded: host=localhost")
    assert status(server, "/_stcore/health", *forwarded, host=host) == 403
    assert upgrade(server, *forwarded, host=host) == 403


def test_the_host_is_the_one_in_the_only_header_of_that_name(server: Server) -> None:
    assert status(server, "/_stcore/health", host=None) in (400, 403)
    assert status(server, "/_stcore/health", "Host: evil.example") in (400, 403)
    assert status(server, "http://localhost/_stcore/health", host="evil.example") == 403
    assert status(server, "http://evil.example/_stcore/health") == 400
    assert status(server, "/_stcore/health", "X-Forwarded-Host: evil.example") == 200


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "http://localhost:3000",
        "http://localhost",
        "http://127.0.0.1:{port}",
        "http://localhost.:{port}",
        "http://localhost:{port}.evil.example",
        "http://evil.example#localhost:{port}",
        "chrome-extension://localhost:{port}",
        "file://",
        "null",
        "",
    ],
)
def test_a_page_of_another_origin_is_refused_and_not_looked_up(server: Server, origin: str) -> None:
    host, origin = f"localhost:{server.port}", origin.format(port=server.port)
    assert upgrade(server, f"Origin: {origin}", host=host) == 403
    for method in ("GET", "PUT", "DELETE", "OPTIONS"):
        assert status(server, "/_stcore/upload_file/x/x", f"Origin: {origin}", host=host, method=method) == 403
    assert status(server, "/_stcore/health", f"Origin: {origin}", host=host) == 403


def test_metrics_are_not_served(server: Server) -> None:
    assert status(server, "/_stcore/metrics") == status(server, "/_stcore/metrics/") == 404
    assert status(server, "/_stcore/%6detrics?families=x") == 404


def test_a_browser_uses_the_dashboard_and_is_told_to_load_nothing_from_elsewhere(server: Server, app: App) -> None:
    app.goto()
    app.no_exception()
    policy = app.page.request.get(server.url).headers["content-security-policy"]
    assert {"default-src 'self'", "frame-ancestors 'none'"} <= set(policy.split("; "))


def test_streamlit_run_serves_the_same_app() -> None:
    assert discover_asgi_app(ROOT / "streamlit_app.py").import_string == "streamlit_app:app"


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
    assert not set(late.stdout.split()) & {"altair", "numpy", "pandas", "polars", "pyarrow", "scipy"}


def test_a_click_leaves_streamlit_little_to_collect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dashboard_in(tmp_path, monkeypatch)
    app = page()
    frozen = gc.get_freeze_count()
    gc.collect()  # what other tests left does not count
    assert frozen > 5 * len(gc.get_objects())
    app.run()
    assert gc.get_freeze_count() <= frozen
