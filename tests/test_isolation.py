"""No test works in the checkout or at home, or uses the network; one that does fails (`_stays_in_its_folders`)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import platformdirs
from helpers.watched import sitecustomize

CHECKOUT = Path(__file__).parents[1]

TRESPASSES = """
import contextlib, os, socket, sys
checkout, home = sys.argv[1:]
for act in (
    lambda: os.listdir(f"{checkout}/demo/result"),
    lambda: open(f"{checkout}/models/lo2_nn.joblib"),
    lambda: open(f"{home}/.streamlit/config.toml"),
    lambda: os.listdir(f"{checkout}/tests"),
    lambda: socket.create_server(("127.0.0.1", 8501)),
    lambda: socket.create_server(("127.0.0.1", 0)),
    lambda: socket.getaddrinfo("elsewhere.invalid", 80),
    lambda: socket.getaddrinfo("localhost", 80),
    lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(("192.0.2.1", 80)),
    lambda: os.chdir(checkout),
):
    with contextlib.suppress(OSError):
        act()
"""


def test_what_a_process_does_in_the_checkout_at_home_with_a_fixed_port_or_the_network_is_noted(tmp_path: Path) -> None:
    notes, home = tmp_path / "notes", tmp_path / "home"
    environment = os.environ | {sitecustomize.VARIABLE: os.pathsep.join(map(str, (notes, CHECKOUT, home)))}
    subprocess.run([sys.executable, "-c", TRESPASSES, str(CHECKOUT), str(home)], env=environment, check=True)
    assert [line.partition(", by ")[0] for line in notes.read_text().splitlines()] == [
        f"os.listdir {CHECKOUT}/demo/result/",
        f"open {CHECKOUT}/models/lo2_nn.joblib/",
        f"open {home}/.streamlit/config.toml/",
        "uses the fixed port 8501",
        "socket.getaddrinfo elsewhere.invalid",
        "socket.connect 192.0.2.1",
        "works in the checkout",
    ]


def test_home_working_folder_and_settings_are_the_test_runs_own(shared_tmp: Path) -> None:
    for own in (Path.home(), Path.cwd(), platformdirs.user_config_path("lo2core")):
        assert own.is_relative_to(shared_tmp)
