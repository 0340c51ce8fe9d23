"""Commands that are killed, or find the disk full, at a chosen write, to test that nothing half-written is ever used.

One process imports libraries and forks a child for each command, so that a command costs few imports. A child counts
what it does to files in its working folder (open for writing, rename, link, remove, make or remove a folder), which
Python reports to an audit hook, and kills itself by SIGKILL before the operation with the given number; or from then on
the system lets it write nothing more to any file. No code of lo2core knows of it.

    with Commands() as run:
        kinds = run(folder, "load", "--root", "logs").kinds
        for at in range(1, len(kinds) + 1):
            assert run(copy, "load", "--root", "logs", kill_at=at).killed
"""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).parents[2]
_CHANGES = {"os.rename", "os.link", "os.symlink", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "os.chmod"}
_SOURCES = f"{ROOT / 'lo2core'}{os.sep}"
_MANY = (".log", ".json", ".csv")
_NUMBERS = re.compile(r"[0-9a-f]*[0-9][0-9a-f]*")
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit status (negative: the signal), its operations on files, what it printed.

    kinds: one text per operation; equal ones do the same to the same kind of file, from the same lines of code.
    """

    status: int
    kinds: Sequence[str]
    output: str

    @property
    def killed(self) -> bool:
        return self.status < 0


class Commands:
    """Runs commands of lo2core, each in a folder; temporary files are made in `<folder>/tmp`. Use in a with block."""

    def __enter__(self) -> Self:
        environment = os.environ | {"PYTHONPATH": str(ROOT), "LO2_MODELS": "models"}
        self._server = subprocess.Popen(
            [sys.executable, __file__], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        assert self._server.stdin
        assert self._server.stdout
        self._server.stdin.close()
        self._server.stdout.close()
        self._server.wait()

    def __call__(
        self,
        folder: Path,
        *arguments: object,
        kill_at: int = 0,
        kill_on: str = "",
        after: float = 0.0,
        full_at: int = 0,
    ) -> Ended:
        """Run `python -m lo2core <arguments>` in `folder`.

        kill_at: the number of the operation on a file before which it is killed, from 1; 0 lets it run. kill_on: kill
        it before a file gets this name. after: kill it after so many seconds. full_at: the number of the operation from
        which on every write to a file fails.
        """
        what = {"kill_at": kill_at, "kill_on": kill_on, "after": after, "full_at": full_at}
        request = {"folder": str(folder), "arguments": [str(one) for one in arguments], **what}
        assert self._server.stdin
        assert self._server.stdout
        self._server.stdin.write(json.dumps(request) + "\n")
        self._server.stdin.flush()
        return Ended(**json.loads(self._server.stdout.readline()))


def _serve() -> None:
    """Read requests, one a line, and answer each one when its command has ended."""
    # What commands need, as long as it does not use polars: that starts threads, and a child would not have them.
    import altair  # noqa: F401
    import joblib  # noqa: F401
    import scipy.sparse  # noqa: F401
    import sklearn.ensemble
    import sklearn.linear_model  # noqa: F401

    import lo2core.cli.options
    import lo2core.store.workspace  # noqa: F401

    for line in sys.stdin:
        reader, writer = os.pipe()  # which can be written to while no file can
        with tempfile.TemporaryFile("w+b") as kinds, os.fdopen(reader, "rb") as output:
            child = os.fork()
            if not child:
                _be_disturbed(json.loads(line), writer, kinds.fileno())
            os.close(writer)
            printed = output.read().decode(errors="replace")
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            kinds.seek(0)
            done = kinds.read().decode().splitlines()
        print(json.dumps({"status": status, "kinds": done, "output": printed}), flush=True)


def _be_disturbed(request: dict[str, Any], output: int, kinds: int) -> None:
    """Run a command in this process and end it."""
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.chdir(request["folder"])
    Path("tmp").mkdir(exist_ok=True)
    tempfile.tempdir = str(Path("tmp").resolve())
    sys.argv = [str(ROOT / "lo2core" / "__main__.py"), *request["arguments"]]
    _count_changes(Path.cwd().resolve(), request["kill_at"], request["kill_on"], request["full_at"], kinds)
    if request["after"]:
        signal.setitimer(signal.ITIMER_REAL, request["after"])  # its signal ends a process at once
    from lo2core.cli.commands import main

    status = 70
    try:
        status = main(request["arguments"])
    except SystemExit as stop:
        status = stop.code if isinstance(stop.code, int) else 1
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _count_changes(folder: Path, kill_at: int, kill_on: str, full_at: int, kinds: int) -> None:
    done = 0

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal done
        if not _changes_a_file(event, arguments, folder):
            return
        done += 1
        if not full_at or done <= full_at:
            os.write(kinds, f"{_kind(event, arguments)}\n".encode())
        gets_the_name = event in ("os.rename", "os.link") and Path(os.fsdecode(arguments[1])).name == kill_on
        if done == kill_at or gets_the_name:
            os.kill(os.getpid(), signal.SIGKILL)
        if done == full_at:
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))

    sys.addaudithook(hook)


def _changes_a_file(event: str, arguments: tuple[Any, ...], folder: Path) -> bool:
    writes = event == "open" and isinstance(arguments[2], int) and bool(arguments[2] & _WRITING)
    if not (writes or event in _CHANGES) or not isinstance(arguments[0], str | bytes | os.PathLike):
        return False
    return (folder / os.fsdecode(arguments[0])).is_relative_to(folder)


def _kind(event: str, arguments: tuple[Any, ...]) -> str:
    """What is done, to which kind of file, and where in the code of lo2core it is asked for."""
    paths = [Path(os.fsdecode(one)) for one in arguments[:2] if isinstance(one, str | bytes | os.PathLike)]
    names = [path.suffix if path.suffix in _MANY else _NUMBERS.sub("#", path.name) for path in paths if path.name]
    frame, lines = sys._getframe(1), []
    while frame:
        if frame.f_code.co_filename.startswith(_SOURCES):
            lines.append(f"{frame.f_code.co_filename.removeprefix(_SOURCES)}:{frame.f_lineno}")
        frame = frame.f_back
    return " ".join([event, *names, *lines])


if __name__ == "__main__":
    _serve()
