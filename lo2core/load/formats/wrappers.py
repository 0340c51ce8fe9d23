"""Wrappers: what a container engine, an orchestrator or a terminal puts around each line of a program's own log."""

from __future__ import annotations

import re
from dataclasses import dataclass

import polars as pl

from lo2core.load.formats.format import expanded

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\n]*(?:\x07|\x1b\\)|[@-Z\\-_])|\x9b[0-?]*[ -/]*[@-~]")
"""ANSI control sequences: colours, cursor movements, titles and links of terminals."""
_MARKS = re.compile("^\ufeff+", re.MULTILINE)
PARTS = ("rest", "date", "time", "zone", "epoch", "partial")


@dataclass(frozen=True)
class Wrapper:
    """Something around each line of a file: the groups `rest` (the line itself) and a time stamp, if it has one.

    sure: nothing else looks like it; other wrappers are taken off only if the line below is of a known format.
    """

    name: str
    pattern: str
    sure: bool = True
    json: tuple[str, str] | None = None
    """Of a line that is a JSON object: the paths of the line itself and of the time."""

    def taken_off(self, texts: pl.Series) -> pl.DataFrame:
        """Columns as in `PARTS`; `rest` is null for a line without this wrapper, `partial` is P if the line goes on."""
        frame = texts.to_frame("text")
        text = pl.col("text")
        if self.json:
            line = text.str.json_path_match(self.json[0])
            stamp = text.str.json_path_match(self.json[1]).str.extract_groups(expanded("^{stamp}"))
            goes_on = pl.when(~line.str.ends_with("\n")).then(pl.lit("P")) if self.json[0] == "$.log" else pl.lit(None)
            columns = frame.select(
                rest=line.str.strip_suffix("\n"), partial=goes_on.cast(pl.String), stamp=stamp
            ).unnest("stamp")
        else:
            columns = frame.select(parts=text.str.extract_groups(expanded(self.pattern))).unnest("parts")
        absent = [pl.lit(None, pl.String).alias(name) for name in PARTS if name not in columns.columns]
        return columns.with_columns(absent).select(PARTS)

    def around(self, texts: pl.Series) -> float:
        """The share of lines that have this wrapper."""
        found = texts.str.contains(expanded(self.pattern))
        if self.json and found.any():
            found = found & texts.str.json_path_match(self.json[0]).is_not_null()
        return len(texts.filter(found)) / max(1, len(texts))


WRAPPERS: tuple[Wrapper, ...] = (
    Wrapper("docker json-file", r'^\s*\{.*"log" ?: ?"', json=("$.log", "$.time")),
    Wrapper("cri", r"^{stamp} (?:stdout|stderr) (?P<partial>[FP])(?::\w)? ?(?P<rest>.*)$"),
    Wrapper("docker compose", r"^[\w.-]+ +\| ?(?P<rest>.*)$"),
    Wrapper("kubectl --prefix", r"^\[pod/[^\]]+\] (?P<rest>.*)$"),
    Wrapper("docker logs -t", r"^{stamp} (?P<rest>.*)$", sure=False),
    Wrapper("journald", r"^{syslog} \S+ [^\s:\[]+(?:\[[0-9]+\])?: (?P<rest>.*)$", sure=False),
    Wrapper("journald short-iso", r"^{stamp} \S+ [^\s:\[]+\[[0-9]+\]: (?P<rest>.*)$", sure=False),
    Wrapper("syslog", r"^<[0-9]{1,3}>[0-9] {stamp} \S+ \S+ \S+ \S+ (?:-|(?:\[[^\]]*\])+) (?P<rest>.*)$", sure=False),
)


def without_escapes(text: str) -> str:
    """A text without the control sequences of terminals, and without byte order marks at the start of lines."""
    if "\x1b" in text or "\x9b" in text:
        text = _ESCAPES.sub("", text)
    return _MARKS.sub("", text) if "\ufeff" in text else text
