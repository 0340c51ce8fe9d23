"""What a kind of torture did and what it found."""

from __future__ import annotations

from dataclasses import dataclass, field


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
