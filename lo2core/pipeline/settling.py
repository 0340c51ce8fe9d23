"""Which test case folders of a growing folder are complete: those that have not changed for some time."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from lo2core.load.append import Case
from lo2core.load.log_file import LogFile

_SCAN_EVERY_S = 60.0
"""Folders are looked through at least this often: on network file systems changes may come without a notice."""


class Settling:
    """When test case folders have last changed, as seen by this process.

    What is there at the first look counts as changed when its newest file was; later the clock of the file system is
    not asked, which may be that of another machine. settle: seconds without a change after which a folder is complete.
    """

    def __init__(self, settle: float) -> None:
        self.settle = settle
        self._changed: dict[Case, float] = {}
        self._states: dict[Case, frozenset[tuple[str, int, int]]] = {}
        self._is_first = True

    def look(self, logs: Collection[LogFile]) -> None:
        """Note the state of the logs, as they are now."""
        states: dict[Case, set[tuple[str, int, int]]] = defaultdict(set)
        for file in logs:
            states[file.run, file.folder].add((file.source, file.bytes, file.modified))
        for case, state in states.items():
            if self._states.get(case) != frozenset(state):
                self._changed[case] = time.monotonic() - (_age(state) if self._is_first else 0.0)
                self._states[case] = frozenset(state)
        self._is_first = False

    def complete(self, case: Case) -> bool:
        """Whether a test case folder has not changed for long enough."""
        return time.monotonic() - self._changed.get(case, time.monotonic()) >= self.settle


def _age(state: Collection[tuple[str, int, int]]) -> float:
    return max(0.0, time.time() - max(modified for _, _, modified in state) / 1e9)


class Notices:
    """Waits for changes below some paths. Without the library `watchfiles` there are no notices."""

    def __init__(self, changes: Iterator[object] | None, tick: float) -> None:
        self._changes, self._tick = changes, tick
        self._looked = time.monotonic()

    def wait(self, pending: bool) -> None:
        """Return when the folders should be looked through: after a change, or soon if something is pending."""
        while True:
            noticed = self._changes is None or bool(next(self._changes))
            if self._changes is None:
                time.sleep(self._tick)
            if noticed or pending or time.monotonic() - self._looked >= _SCAN_EVERY_S:
                self._looked = time.monotonic()
                return


@contextmanager
def notices(paths: Sequence[Path], tick: float) -> Iterator[Notices]:
    """`Notices` of changes below the paths. tick: seconds between two looks while something is pending."""
    try:
        import watchfiles
    except ImportError:
        yield Notices(None, tick)
        return
    milliseconds = max(1, int(tick * 1000))
    changes = watchfiles.watch(
        *paths, debounce=milliseconds, rust_timeout=milliseconds, yield_on_timeout=True, watch_filter=None
    )
    try:
        yield Notices(changes, tick)
    finally:
        changes.close()
