"""Loads tables of events made by other tools (Parquet, CSV): one row per event, with the id of its sequence.

The columns seq_id and m_message are required; m_timestamp, service, anomaly, level, thread, logger, method and
correlation_id are used if they exist. Labels can also be in the columns `normal` or `label`, as LogLead has them. Such
a table has no runs and test cases: the file is the run, and each sequence is a folder, and therefore an incident, of
its own.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from lo2core.base.csv import restored
from lo2core.base.errors import InputError, reason
from lo2core.base.schemas import Events, Sequences
from lo2core.base.text import plural
from lo2core.load.dating import points_in_time
from lo2core.load.formats.stamps import day_first
from lo2core.load.log_file import LogFile
from lo2core.load.names import normal_form
from lo2core.load.period import Period
from lo2core.messages.counts import MessageCounts, as_messages, count_items, masked, request_kinds
from lo2core.messages.masks import Masker
from lo2core.messages.text import event_lines

DEFAULT_SERVICE = "log"
_EVENTS = Events.create_empty().schema
_SEQUENCES = Sequences.create_empty().schema
_REQUIRED = ("seq_id", "m_message")
_TEXTS = ("level", "thread", "logger", "method", "correlation_id")
_DAMAGE = (pl.exceptions.PolarsError, pl.exceptions.PanicException)
"""What polars raises on a damaged file; the second is no `Exception`."""
_FAULTY = ("1", "1.0", "true", "yes", "anomaly", "anomalous", "abnormal")
_NORMAL = ("0", "0.0", "false", "no", "normal")


@dataclass(frozen=True)
class Outline:
    """The content of a table that is not loaded yet: service names, number of sequences, number of events."""

    services: tuple[str, ...]
    sequences: int
    events: int

    def sentence(self) -> str:
        """The content as text, for example: 3 sequences, 1 service (log), 120 events."""
        services = f"{plural(len(self.services), 'service')} ({', '.join(self.services)})"
        return f"{plural(self.sequences, 'sequence')}, {services}, {plural(self.events, 'event')}"


def outline(path: Path) -> Outline:
    """The outline of a table, without reading its texts. Raises InputError as `read_table`."""
    with as_table(path):
        table = _opened(path).drop_nulls(_REQUIRED)
        named = table.select("seq_id", service=_service(table.collect_schema().names()))
        sequences = named.group_by("seq_id", "service").len().collect()
    services = sequences["service"].unique().sort().to_list()
    return Outline(tuple(services), sequences.height, int(sequences["len"].sum()))


def read_table(
    file: LogFile, masker: Masker, period: Period | None = None
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame, MessageCounts]:
    """`schemas.Events`, `schemas.Sequences`, the tally of lines (see `parse.Parsed`) and the items of a table.

    period: events outside of it are left out. A sequence is faulty if one of its events is. Rows without seq_id or
    m_message count as blank lines. Raises InputError for a file that is not a table, a table without rows or without a
    required column, and for labels and time stamps that cannot be interpreted.
    """
    try:
        return _read(file, masker, period)
    except _DAMAGE as error:
        raise InputError(
            f"{file.source} contains values that cannot be interpreted ({reason(error)}). Correct them and load it "
            "again."
        ) from error


def _read(
    file: LogFile, masker: Masker, period: Period | None
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame, MessageCounts]:
    frame = _scan(file.path)
    kept = frame.drop_nulls(["seq_id", "m_message"])
    every = _events(kept, file, masker)
    events = every.filter(period.contains(every["m_timestamp"])) if period else every
    not_chosen = int(every["n_lines"].sum()) - int(events["n_lines"].sum())
    continuations = int(events["n_lines"].sum()) - events.height
    tally = pl.DataFrame(
        {
            "file": [0],
            "lines": [events.height + continuations + frame.height - kept.height + not_chosen],
            "events": [events.height],
            "continuations": [continuations],
            "orphans": [0],
            "blank": [frame.height - kept.height],
            "skipped": [0],
            "not_chosen": [not_chosen],
            "dated": [events["m_timestamp"].null_count() < events.height],
        }
    )
    return events.select(_EVENTS.names()), _sequences(events), tally, _items(events, masker)


def _scan(path: Path) -> pl.DataFrame:
    """The rows with line_no and n_lines, as if their texts were the lines of one file."""
    with as_table(path):
        frame = _opened(path).collect()
    if not frame.height:
        raise InputError(f"{path.name} has no rows. Choose a table that contains events.")
    lines = pl.col("m_message").cast(pl.String).str.count_matches("\n", literal=True).fill_null(0).cast(pl.Int64) + 1
    texts = frame.with_columns(pl.col(_REQUIRED).cast(pl.String).str.replace_all("\r\n", "\n", literal=True))
    return texts.with_columns(line_no=1 + lines.cum_sum() - lines, n_lines=lines.cast(pl.Int32))


def _opened(path: Path) -> pl.LazyFrame:
    """The rows of the file as they were saved. Raises InputError if a required column is missing."""
    parquet = path.suffix.lower() == ".parquet"
    table = pl.scan_parquet(path, glob=False) if parquet else restored(_scan_csv(path))
    table = _with_labels(_with_usual_names(table, path))
    columns = table.collect_schema().names()
    if missing := [name for name in _REQUIRED if name not in columns]:
        raise InputError(
            f"{path.name} has no column {' and no column '.join(missing)}. A table of events needs the columns "
            f"{' and '.join(_REQUIRED)}; found: {', '.join(columns)}. Rename its columns."
        )
    return table


def _with_usual_names(table: pl.LazyFrame, path: Path) -> pl.LazyFrame:
    """A table of log lines with the columns of other tools under our names; it is one sequence, if it names none."""
    there = table.collect_schema().names()
    if "m_message" in there or "seq_id" in there:
        return table
    found = {name: next((n for n in names if n in there), None) for name, names in _USUAL_NAMES.items()}
    if not found["m_message"]:
        return table
    table = table.rename({old: new for new, old in found.items() if old and old != new and new not in there})
    return table.with_columns(seq_id=pl.lit(normal_form(path.stem)))


def _with_labels(table: pl.LazyFrame) -> pl.LazyFrame:
    """The table with the column anomaly, from the labels that LogLead and LogHub write, if it has none.

    `normal` is the opposite. `label` is `-` or `normal` for a normal event and else its anomaly; a column without any
    of these contains other labels.
    """
    there = table.collect_schema().names()
    if "anomaly" in there:
        return table
    if "normal" in there:
        text = pl.col("normal").cast(pl.String).str.to_lowercase().str.strip_chars()
        normal = pl.when(text.is_in(_FAULTY[:4])).then(pl.lit("0")).when(text.is_in(_NORMAL[:4])).then(pl.lit("1"))
        return table.with_columns(anomaly=normal.otherwise(text))
    if label := next((name for name in ("label", "Label") if name in there), None):
        text = pl.col(label).cast(pl.String).str.strip_chars()
        is_normal = text.str.to_lowercase().is_in(["-", "normal"])
        if table.select(is_normal.any()).collect().item():
            return table.with_columns(anomaly=pl.when(text.is_not_null()).then((~is_normal).cast(pl.String)))
    return table


_USUAL_NAMES = {
    "m_message": ("Content", "message", "Message", "msg"),
    "m_timestamp": ("@timestamp", "timestamp", "Timestamp", "datetime", "ts"),
    "level": ("level", "Level", "severity", "log_level"),
    "logger": ("logger", "Component"),
}
"""Columns of tables that were exported by other tools, such as the structured logs of LogHub."""


def _scan_csv(path: Path) -> pl.LazyFrame:
    """A CSV file in UTF-8 or UTF-16, with columns separated by commas, semicolons or tabs."""
    with path.open("rb") as file:
        start = file.read(1 << 16)
    if not start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return pl.scan_csv(path, glob=False, infer_schema=False, separator=_separator(start))
    data = path.read_bytes().decode("utf-16", errors="replace").encode()
    return pl.scan_csv(data, infer_schema=False, separator=_separator(data))


def _separator(start: bytes) -> str:
    """The character that divides most names in the first line."""
    header = start.partition(b"\n")[0]
    return max(",;\t", key=lambda character: header.count(character.encode()))


@contextmanager
def as_table(path: Path) -> Iterator[None]:
    """Turns errors of reading the file into InputError."""
    try:
        yield
    except (*_DAMAGE, OSError) as error:
        raise InputError(f"{path.name} cannot be read as a table: {str(error).splitlines()[0]}") from error


def _service(columns: Sequence[str]) -> pl.Expr:
    named = pl.col("service").cast(pl.String) if "service" in columns else pl.lit(None, pl.String)
    return named.fill_null(DEFAULT_SERVICE)


def _events(frame: pl.DataFrame, file: LogFile, masker: Masker) -> pl.DataFrame:
    """The rows with all columns of `schemas.Events`, and the columns line and text of `masked`."""
    texts = [(pl.col(n).cast(pl.String) if n in frame.columns else pl.lit(None, pl.String)).alias(n) for n in _TEXTS]
    frame = frame.with_columns(*texts, service=_service(frame.columns), folder="seq_id", given=_anomaly(frame, file))
    several = pl.col("service").n_unique().over("folder") > 1
    anomaly = pl.col("given").any().over("folder")
    frame = frame.with_columns(
        seq_id=pl.when(several).then(pl.format("{}__{}", "folder", "service")).otherwise("folder"),
        anomaly=pl.when(pl.col("given").is_null().all().over("folder")).then(None).otherwise(anomaly),
        m_timestamp=_timestamps(frame),
        run=pl.lit(file.run),
        repetition=pl.lit(None, pl.Int32),
        window=pl.lit(None, pl.Int32),
        line_offsets=pl.lit(None, _EVENTS["line_offsets"]),
        source=pl.lit(file.source),
    )
    case = pl.when("anomaly").then(pl.lit("anomaly")).when(~pl.col("anomaly")).then(pl.lit("normal"))
    frame = frame.with_columns(test_case=case.otherwise(pl.lit("unlabelled")), normal=~pl.col("anomaly"))
    line = event_lines(frame).rename("line")
    lines = masked(line, masker)
    return frame.with_columns(line).join(lines, left_on="line", right_on="raw", how="left", maintain_order="left")


def _anomaly(frame: pl.DataFrame, file: LogFile) -> pl.Series:
    """The labels in the table, unless the options declare all logs normal or unlabelled."""
    if file.normal is None or ("anomaly" not in frame.columns and file.normal is not True):
        return pl.Series([None], dtype=pl.Boolean).new_from_index(0, frame.height)
    if file.normal:
        return pl.Series([False]).new_from_index(0, frame.height)
    text = frame["anomaly"].cast(pl.String).str.to_lowercase().str.strip_chars()
    text = text.str.replace(r"^([01])[.,]0+$", "${1}")  # decimals of a database
    if unknown := text.filter(~text.is_in([*_FAULTY, *_NORMAL])).unique().sort().to_list():
        raise InputError(
            f"{file.source} contains the label {unknown[0]!r}. Use true, false, 1, 0 or an empty value in the column "
            "anomaly."
        )
    return text.is_in(list(_FAULTY))


def _timestamps(frame: pl.DataFrame) -> pl.Series:
    if "m_timestamp" not in frame.columns:
        return pl.Series([None], dtype=_EVENTS["m_timestamp"]).new_from_index(0, frame.height)
    stamps = frame["m_timestamp"]
    if stamps.dtype.is_integer():
        stamps = stamps.cast(pl.String)  # an epoch
    if stamps.dtype == pl.String and stamps.null_count() < len(stamps):
        stamps = _parsed(stamps)
    if stamps.null_count() < len(stamps) and stamps.dtype != pl.Date and not isinstance(stamps.dtype, pl.Datetime):
        raise _not_time_stamps(str(stamps.dtype))
    if isinstance(stamps.dtype, pl.Datetime) and stamps.dtype.time_zone:
        stamps = stamps.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    return stamps.cast(_EVENTS["m_timestamp"])


def _parsed(stamps: pl.Series) -> pl.Series:
    """Texts as points in time. Raises InputError unless all are of one form that can be read in one way only."""
    given = stamps.filter(stamps.str.contains(r"\S"))
    found = [(form, given.filter(given.str.contains(form))) for form in _FORMS]
    several = [texts[0] for _, texts in found if len(texts)]
    if len(several) > 1:
        raise InputError(
            f"The column m_timestamp contains time stamps of several forms, such as {several[0]!r} and {several[1]!r}. "
            "Convert it to one form, such as 2026-11-24 17:25:18.037."
        )
    if len(short := given.filter(given.str.contains(_SHORT_YEAR))):
        raise InputError(
            f"The column m_timestamp contains {short[0]!r}, whose year has two digits. Convert it to the form "
            "2026-11-24 17:25:18.037."
        )
    if len(given.filter(given.str.contains(_UNCLEAR))) and day_first(given.str.extract(_UNCLEAR)) is None:
        raise InputError(
            f"The column m_timestamp contains {given[0]!r}, which may begin with the day or with the month. Convert it "
            "to the form 2026-11-24 17:25:18.037."
        )
    moments = points_in_time(stamps)
    if wrong := stamps.filter(moments.is_null() & stamps.str.contains(r"\S"))[:1].to_list():
        raise _not_time_stamps(repr(wrong[0]))
    return moments


_UNCLEAR = r"^\s*([0-9]{1,2}[/-][0-9]{1,2}[/-][0-9]{4})"
_SHORT_YEAR = r"^\s*[0-9]{1,2}[/.-][0-9]{1,2}[/.-][0-9]{2}(?:\D|$)"
_FORMS = (
    r"^\s*[0-9]{4}[-/.]?[0-9]{2}[-/.]?[0-9]{2}(?:\D|$)",
    r"^\s*[0-9]{1,2}\.",
    _UNCLEAR,
    r"[A-Z][a-z]{2}",
    r"^\s*[0-9]{9,}",
)
"""Forms of time stamps: ISO, day first with dots, day or month first, names of months, epoch."""


def _not_time_stamps(found: str) -> InputError:
    return InputError(
        f"The column m_timestamp contains {found} instead of time stamps such as 2026-11-24 17:25:18.037. Convert or "
        "remove the column."
    )


def _sequences(events: pl.DataFrame) -> pl.DataFrame:
    identity = [name for name in _SEQUENCES if name in events.columns and name != "seq_id"]
    facts = events.group_by("seq_id", maintain_order=True).agg(
        *(pl.col(name).first() for name in identity),
        start_time=pl.col("m_timestamp").min(),
        end_time=pl.col("m_timestamp").max(),
        events=pl.len().cast(pl.Int64),
        lines=pl.col("n_lines").sum().cast(pl.Int64),
        bytes=pl.col("m_message").str.len_bytes().sum().cast(pl.Int64),
    )
    return facts.select(_SEQUENCES.names())


def _items(events: pl.DataFrame, masker: Masker) -> MessageCounts:
    below = events.filter(pl.col("n_lines") > 1).select("seq_id", raw=pl.col("m_message").str.split("\n").list.slice(1))
    traces = below.explode("raw").filter(pl.col("raw").str.len_bytes() > 0)
    texts = masked(traces["raw"], masker)
    kinds = request_kinds(events.with_columns(file="run"))
    messages = [as_messages(events, "message"), as_messages(texts, "trace"), kinds.messages]
    return MessageCounts(
        pl.concat(messages), pl.concat([count_items(events, traces.join(texts, on="raw")), kinds.counts])
    )
