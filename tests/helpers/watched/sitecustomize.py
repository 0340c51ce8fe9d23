"""Notes what a process of the tests does with the checkout's results, the home folder, a fixed port or the network.

Python imports this module at the start of every process that has its folder in `PYTHONPATH` (`conftest.py` sees to
it). Native code that opens a file is not seen, but it gets names of files from Python, which listed their folder.
"""

from __future__ import annotations

import os
import sys

VARIABLE = "LO2_TEST_WATCH"
"""Names, in one variable: the file for the notes, the checkout, the home folder, and what is allowed in the latter."""

_EVENTS = {"open", "os.listdir", "os.scandir", "os.mkdir", "os.rmdir", "os.remove", "os.rename", "os.link"}
_EVENTS |= {"os.symlink", "os.truncate", "os.utime", "os.chmod", "sqlite3.connect"}
_CONNECTIONS = {"socket.connect", "socket.sendto"}
_LOOK_UPS = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}
_LOOPBACK = ("127.", "::1", "localhost")
_FIRST_FREE_PORT = 32_768
"""The system hands out ports from here upwards; a lower one was chosen by somebody."""


def watch() -> None:
    """From now on, note what this process does where it should not."""
    notes, checkout, home, *allowed = os.environ[VARIABLE].split(os.pathsep)
    results = (f"{checkout}/demo/result/", f"{checkout}/models/")
    other = (f"{checkout}/", *(f"{folder}/" for folder in allowed))
    watched = (f"{checkout}/", home)

    def note(what: str) -> None:
        with open(notes, "a") as file:  # noqa: PTH123
            file.write(f"{what}, by {' '.join(sys.argv[:3])}\n")

    def outside(event: str, host: object) -> None:
        """Note a look-up of or a connection to another machine."""
        if isinstance(host, (str, bytes)) and host and not os.fsdecode(host).startswith(_LOOPBACK):
            note(f"{event} {os.fsdecode(host)}")

    def file(event: str, arguments: tuple[object, ...]) -> None:
        for path in arguments[:2]:
            if isinstance(path, (str, bytes, os.PathLike)):
                name = os.fsdecode(path)
                if name.startswith("/") and ".." not in name and not name.startswith(watched):
                    continue  # most files, without the cost of the next line
                full = os.path.abspath(name) + "/"  # noqa: PTH100
                if full.startswith(results) or (full.startswith(f"{home}/") and not full.startswith(other)):
                    note(f"{event} {full}")

    def change_of_folder(event: str, arguments: tuple[object, ...]) -> None:
        if arguments[0] == checkout:
            note("works in the checkout")

    def bind(event: str, arguments: tuple[object, ...]) -> None:
        if isinstance(arguments[1], tuple) and 0 < arguments[1][1] < _FIRST_FREE_PORT:
            note(f"uses the fixed port {arguments[1][1]}")

    def connection(event: str, arguments: tuple[object, ...]) -> None:
        if isinstance(arguments[1], tuple):
            outside(event, arguments[1][0])

    def look_up(event: str, arguments: tuple[object, ...]) -> None:
        outside(event, arguments[0])

    checks = dict.fromkeys(_EVENTS, file) | {"os.chdir": change_of_folder, "socket.bind": bind}
    checks |= dict.fromkeys(_CONNECTIONS, connection) | dict.fromkeys(_LOOK_UPS, look_up)

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if check := checks.get(event):
            check(event, arguments)

    if os.getcwd() == checkout:  # noqa: PTH109
        note("works in the checkout")
    sys.addaudithook(hook)


if VARIABLE in os.environ:
    watch()
