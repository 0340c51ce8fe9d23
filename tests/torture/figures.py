"""What a kind of torture did and what it found."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")


@dataclass
class Figures:
    """The figures of one kind of torture: how often what was done, and a sentence for each failure."""

    counts: dict[str, int | str] = field(default_factory=dict)
    """What was counted or measured, in the words of the table in `docs/reliability.md`."""
    failures: list[str] = field(default_factory=list)

    def count(self, what: str, amount: int = 1) -> None:
        self.counts[what] = int(self.counts.get(what, 0)) + amount

    def fail(self, what: str) -> None:
        self.failures.append(what)
        report(f"FAILED: {what}")


def reported(what: str, results: Iterable[T], total: int) -> Iterator[T]:
    """The results as they come, with a line on standard error after each twentieth of them."""
    for number, result in enumerate(results, 1):
        yield result
        if number * 20 // total > (number - 1) * 20 // total:
            report(f"{what}: {number:,} of {total:,}")


def report(what: str) -> None:
    """Print on standard error, while the torture goes on."""
    print(what, file=sys.stderr, flush=True)
