"""Layouts that a person describes: a template says where the run, the test case and the service are in a path."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from lo2core.base.errors import InputError
from lo2core.load.compression import COMPRESSED

NAMES = ("run", "test_case", "service", "repetition")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}|(\*)")


@dataclass(frozen=True)
class Template:
    """A layout such as `{run}/{test_case}/{service}.log`, for the last parts of each path.

    `*` stands for any part of a name. `{service}` is required; without `{run}` or `{test_case}` the name of the root
    takes its place. Raises InputError for other names in braces.

    Examples:
        >>> from lo2core.load.template import Template
        >>> Template("{run}/{test_case}/{service}-*.log").names(["logs/monday/pay_404/cart-7f.log", "notes.txt"])
        [{'run': 'monday', 'test_case': 'pay_404', 'service': 'cart'}, None]
    """

    text: str

    def __post_init__(self) -> None:
        used = [match[1] for match in _PLACEHOLDER.finditer(self.text) if match[1] is not None]
        if "service" not in used or len(used) != len(set(used)) or not set(used) <= set(NAMES):
            raise InputError(
                f"The layout {self.text!r} cannot be used: it needs {{service}}, may contain {{run}}, {{test_case}} "
                "and {repetition}, each once, and * for anything else, such as {run}/{test_case}/{service}.log."
            )

    @cached_property
    def _pattern(self) -> str:
        parts, at = [], 0
        for match in _PLACEHOLDER.finditer(self.text):
            any_name = "[0-9]+" if match[1] == "repetition" else "[^/]+?"
            parts.append(re.escape(self.text[at : match.start()]))
            parts.append("[^/]*" if match[2] else f"(?P<{match[1]}>{any_name})")
            at = match.end()
        from lo2core.messages.patterns import linear_pattern

        ending = re.escape(self.text[at:])
        return linear_pattern(r"(?:^|/)" + "".join(parts) + ending + rf"(?:{COMPRESSED})?$")

    def names(self, paths: Sequence[str]) -> list[dict[str, str] | None]:
        """The names in each path with slashes; None for a path of another form."""
        import polars as pl  # takes a while, and the options of the command line need this module

        found = pl.Series(paths, dtype=pl.String).str.extract_groups(self._pattern)
        return [row if row["service"] is not None else None for row in found]
