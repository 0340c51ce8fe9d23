"""Numbers, moments and commands as people write them."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from datetime import datetime


def plural(n: int, noun: str) -> str:
    """1, 'line' -> '1 line'; 1200, 'line' -> '1,200 lines'."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def are(n: int, noun: str) -> str:
    """As `plural`, with its verb: '1 request is', '2 requests are'."""
    return f"{plural(n, noun)} {'is' if n == 1 else 'are'}"


def command(arguments: Iterable[object]) -> str:
    """A command of lo2core, quoted for a shell."""
    return f"python -m lo2core {shlex.join(map(str, arguments))}"


def clock(moment: datetime | None) -> str:
    """The time of day of a log line: '17:08:51.728'."""
    return f"{moment:%H:%M:%S.%f}"[:-3] if moment else "at an unknown time"


def local_time(stamp: str) -> str:
    """A recorded moment (ISO 8601) on the clock of whoever reads it: '24 Nov 2026 21:10'."""
    return f"{datetime.fromisoformat(stamp).astimezone():%-d %b %Y %H:%M}"
