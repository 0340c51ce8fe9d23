"""Wrappers: what a container engine, an orchestrator or a terminal puts around each line of a program's own log."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

import polars as pl

from lo2core.load.formats.format import LEVELS, expanded
from lo2core.load.formats.matching import match
from lo2core.load.names import SAFE

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\n]*(?:\x07|\x1b\\)|[@-Z\\-_])|\x9b[0-?]*[ -/]*[@-~]")
"""ANSI control sequences: colours, cursor movements, titles and links of terminals."""
_MARKS = re.compile("^\ufeff+", re.MULTILINE)
PARTS = ("rest", "date", "time", "zone", "epoch", "partial")
NO_NAME = re.compile(rf"^(?i:{LEVELS}|LOG|[0-9.:-]+)$")
"""Words in front of a bar that are not names of containers: levels, numbers, dates."""


@dataclass(frozen=True)
class Wrapper:
    """Something around each line of a file: the groups `rest` (the line itself), `name` (of a container), and a time.

    sure: nothing else looks like it; other wrappers are taken off only if the line below is of a known format.
    """

    name: str
    pattern: str
    sure: bool = True
    json: tuple[str, ...] = ()
    """Of a line that is a JSON object: the path of the line itself, and those of the time, by preference."""

    @property
    def names_containers(self) -> bool:
        """Whether it says which container each line comes from."""
        return "(?P<name>" in self.pattern

    def taken_off(self, texts: pl.Series) -> pl.DataFrame:
        """Columns as in `PARTS`; `rest` is null for a line without this wrapper, `partial` is P if the line goes on."""
        columns = self._json_parts(texts) if self.json else self.groups(texts)
        absent = [pl.lit(None, pl.String).alias(name) for name in PARTS if name not in columns.columns]
        return columns.with_columns(absent).select(PARTS)

    def groups(self, texts: pl.Series) -> pl.DataFrame:
        """The groups of the pattern as columns; all null for a line without this wrapper."""
        found = texts.to_frame("text").select(parts=pl.col("text").str.extract_groups(expanded(self.pattern)))
        if self.names_containers:
            is_name = ~pl.col("parts").struct.field("name").str.contains(NO_NAME.pattern)
            found = found.select(parts=pl.when(is_name).then("parts"))
        return found.unnest("parts")

    def _json_parts(self, texts: pl.Series) -> pl.DataFrame:
        text = pl.col("text")
        is_one = text.str.contains(self.pattern)
        line, *times = (pl.when(is_one).then(text.str.json_path_match(path)) for path in self.json)
        stamp = pl.coalesce(*times)
        goes_on = pl.when(line.str.ends_with("\n")).then(pl.lit("F")).when(line.is_not_null()).then(pl.lit("P"))
        return (
            texts.to_frame("text")
            .select(
                rest=line.str.strip_suffix("\n"),
                partial=goes_on,
                stamp=stamp.str.extract_groups(expanded("^{internet}")),
                epoch=stamp.str.extract(expanded("^{epoch}$"), 1),
            )
            .unnest("stamp")
        )

    def inside(self, line: str) -> str | None:
        """One line without this wrapper; None for a line that does not have it."""
        if self.json:
            return _json_text(line, self.json[0][2:]) if match(self.pattern, line) else None
        found = match(self.pattern, line)
        if not found or (self.names_containers and NO_NAME.match(found["name"])):
            return None
        return found["rest"]


def _json_text(line: str, key: str) -> str | None:
    try:
        value = json.loads(line).get(key)
    except (ValueError, RecursionError, AttributeError):
        return None
    return value.rstrip("\n").encode("utf-8", "replace").decode() if isinstance(value, str) else None


WRAPPERS: tuple[Wrapper, ...] = (
    Wrapper("docker json-file", r'^\s*\{.*"log" ?: ?"', json=("$.log", "$.time", "$.date", "$.['@timestamp']")),
    Wrapper(
        "loki json",
        r'^\{(?:.*"(?:labels|fields)" ?: ?\{.*"line" ?: ?"|.*"line" ?: ?".*"(?:labels|fields)" ?: ?\{)',
        json=("$.line", "$.timestamp"),
    ),
    Wrapper("cloudwatch json", r'^\{.*"ingestionTime" ?: ?[0-9]', json=("$.message", "$.timestamp")),
    Wrapper("google cloud json", r'^\{.*"textPayload" ?: ?"', False, json=("$.textPayload", "$.timestamp")),
    Wrapper("stern json", r'^\{.*"podName" ?: ?"', False, json=("$.message", "$.timestamp")),
    Wrapper("journald json", r'^\{.*"MESSAGE" ?: ?"', False, json=("$.MESSAGE", "$.__REALTIME_TIMESTAMP")),
    Wrapper("cri", r"^{internet} (?:stdout|stderr) (?P<partial>[FP])(?::\w)? ?(?P<rest>.*)$"),
    Wrapper("docker compose", r"^(?P<name>[\w.@-]+) +\| ?(?P<rest>.*)$"),
    Wrapper("podman-compose", r"^\[(?P<name>[A-Za-z][\w.-]+)\] +\| ?(?P<rest>.*)$"),
    Wrapper("pm2", r"^[0-9]+\|(?P<name>[\w.@-]+) +\| ?(?P<rest>.*)$"),
    Wrapper("kubectl --prefix", r"^\[pod/(?P<name>[^\]]+)\] ?(?P<rest>.*)$"),
    Wrapper(
        "stern",
        rf"^(?:[a-z0-9-]+ )?(?P<name>[a-z0-9][a-z0-9.-]*-(?:[0-9]{{1,3}}|{SAFE}{{5}})) "
        r"[a-z0-9][a-z0-9-]*(?: |$)(?P<rest>.*)$",
        sure=False,
    ),
    Wrapper("minikube", r"^(?:\* |\*$)(?P<rest>.*)$", sure=False),
    Wrapper("grafana", r"^[0-9]{13}\t{internet}\t(?P<rest>.*)$"),
    Wrapper("logcli", r'^{internet} \{(?:[^"{}]|"(?:[^"\\]|\\.)*")*\}\s(?P<rest>.*)$'),
    Wrapper("aws logs tail", r"^{internet} [\w.-]+/\S+(?: |$)(?P<rest>.*)$", sure=False),
    Wrapper("podman", r"^(?P<name>[0-9a-f]{12})(?: |$)(?P<rest>.*)$", sure=False),
    Wrapper("docker logs -t", r"^{internet}(?: |$)(?P<rest>.*)$", sure=False),
    Wrapper(
        "heroku drain",
        r"^(?:[0-9]+ )?<[0-9]{1,3}>1 {internet} \S+ (?:app|heroku) (?P<name>[a-z][\w.-]*) -(?: |$)(?P<rest>.*)$",
    ),
    Wrapper("heroku", r"^{internet} (?P<name>[a-z]+\[[\w.-]+\]):(?: |$)(?P<rest>.*)$"),
    Wrapper(
        "fluent-bit stdout",
        r'^\[[0-9]+\] [^:]+: \[\[?{epoch}(?:, \{.*\}\])?, \{.*"log"=>"(?P<rest>(?:[^"\\]|\\.)*?)(?:\\n)?"',
    ),
    Wrapper("journald", r"^{syslog} \S+ [^\s:\[]+(?:\[[0-9]+\])?:(?: |$)(?P<rest>.*)$", sure=False),
    Wrapper("journald short-iso", r"^{internet} \S+ [^\s:\[]+\[[0-9]+\]:(?: |$)(?P<rest>.*)$", sure=False),
    Wrapper("journald short-unix", r"^{epoch} \S+ [^\s:\[]+(?:\[[0-9]+\])?:(?: |$)(?P<rest>.*)$", sure=False),
    Wrapper("syslog", r"^<[0-9]{1,3}>{syslog} \S+ [^\s:\[]+(?:\[[0-9]+\])?:(?: |$)(?P<rest>.*)$", sure=False),
    Wrapper(
        "syslog rfc 5424",
        r"^<[0-9]{1,3}>[0-9] {internet} \S+ \S+ \S+ \S+ (?:-|(?:\[[^\]]*\])+) ?\x{FEFF}?(?P<rest>.*)$",
        sure=False,
    ),
)


def without_escapes(text: str) -> str:
    """A text without the control sequences of terminals, and without byte order marks at the start of lines."""
    if "\x1b" in text or "\x9b" in text:
        text = _ESCAPES.sub("", text)
    return _MARKS.sub("", text) if "\ufeff" in text else text
