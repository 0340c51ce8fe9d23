"""Reads the logs of whole test case folders: events, sequences, ledger rows, messages and counts.

The result for a folder does not depend on which folders are read with it; reading several at once is only faster.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import polars as pl

from lo2core.base.errors import InputError
from lo2core.base.frames import compact
from lo2core.base.schemas import Events, Sequences
from lo2core.load import ledger as load_ledger
from lo2core.load.compression import log_pieces
from lo2core.load.containers import of_container
from lo2core.load.event_tables import read_table
from lo2core.load.formats.custom import chosen
from lo2core.load.formats.format import Format
from lo2core.load.log_file import TABLE, LogFile, distinct
from lo2core.load.parse import Parsed, decode, parse
from lo2core.load.period import Period
from lo2core.load.plan import LoadOptions
from lo2core.load.windows import slots
from lo2core.messages.counts import MessageCounts, as_messages, count_items, masked_messages, request_kinds
from lo2core.messages.hashing import factorize
from lo2core.messages.masks import Masker

_EVENTS = Events.create_empty().schema
_SEQUENCES = Sequences.create_empty().schema
_IDENTITY = ("seq_id", "run", "folder", "test_case", "repetition", "window", "service", "normal", "anomaly")


@dataclass(frozen=True)
class Loaded:
    """The content of some test case folders: `schemas.Events`, `Sequences` and `Ledger`, and their items."""

    events: pl.DataFrame
    sequences: pl.DataFrame
    ledger: pl.DataFrame
    items: MessageCounts


def read_logs(files: Sequence[LogFile], options: LoadOptions, masker: Masker) -> Loaded:
    """The content of the logs of one or more whole test case folders of one run. Raises InputError as `pieces`."""
    if files[0].layout == TABLE:
        table = _read_table(files[0], options, masker)
        return replace(table, ledger=load_ledger.with_damages(table.ledger, [files[0].damage]))
    data, damages = zip(*map(content, files), strict=True)
    loaded, events = read_texts(files, data, options, masker, files[0].epoch)
    loaded = replace(loaded, ledger=load_ledger.with_damages(loaded.ledger, damages))
    return with_requests(loaded, request_kinds(events))


def read_texts(
    files: Sequence[LogFile], data: Sequence[bytes], options: LoadOptions, masker: Masker, epoch: datetime | None
) -> tuple[Loaded, pl.DataFrame]:
    """The content of logs (`data`, one for each file) without requests, and the events for `request_kinds`.

    epoch: as in `parse`.
    """
    texts, invalid = zip(*map(decode, data), strict=True)
    names = distinct(file.folder for file in files)
    folders = [names.index(str(file.folder)) for file in files]
    parsed = parse(texts, epoch, options.skip_init_lines, folders, written(files), _formats(options), options.period)
    outside = _outside(files, folders, parsed, options.period)
    slot, n_slots = _slots(parsed.events, folders, options.window)
    identities = _identities(files, [n_slots[folder] for folder in folders])
    identities = identities.filter(~pl.col("file").is_in(outside))
    trace_codes, trace_lines = factorize(parsed.traces["text"])
    known = _with_single_spaces(parsed.lines["line"]), trace_lines
    codes, messages = masked_messages(pl.concat(known), masker)
    of_lines, of_traces = codes.head(len(known[0])), codes.tail(len(known[1]))
    ids = messages["message_id"]
    lines = parsed.lines.select("level", "logger", "method", body="text", message_id=ids[of_lines])
    of_events = lines[parsed.events["line_code"]]
    raw = pl.concat([parsed.events.with_columns(slot), of_events], how="horizontal").join(
        identities, on=["file", "slot"], how="left", maintain_order="left"
    )
    traces = _traces(parsed, raw["seq_id"], identities, ids[of_traces][trace_codes])
    both = [as_messages(messages[of.unique()], kind) for of, kind in ((of_lines, "message"), (of_traces, "trace"))]
    items = MessageCounts(compact(pl.concat(both)), count_items(raw, traces))  # they are kept longer than the events
    rows = compact(load_ledger.read_rows(files, [len(content) for content in data], invalid, parsed.tally, outside))
    loaded = Loaded(_events(raw, files), _sequences(raw, identities), rows, items)
    return loaded, raw.select("file", "seq_id", "correlation_id", "message_id")


def _outside(files: Sequence[LogFile], folders: Sequence[int], parsed: Parsed, period: Period | None) -> list[int]:
    """The files of test case folders without an event in the period; a service that was silent in it is not one.

    Raises InputError if the period has dates and the times of a file have none.
    """
    if not period:
        return []
    tally = parsed.tally
    undated = [
        file.source
        for file, dated, some in zip(files, tally["dated"], tally["events"] + tally["not_chosen"], strict=True)
        if some and not dated and file.epoch is None
    ]
    if period.has_dates and undated:
        raise InputError(
            f"The lines of {undated[0]} have times without dates: give --since and --until as times of day, such as "
            "16:40."
        )
    left = {folders[index] for index in parsed.events["file"].unique()}
    cut = {folder for folder, n in zip(folders, tally["not_chosen"], strict=True) if n}
    return [index for index, folder in enumerate(folders) if folder in cut - left]


def with_requests(loaded: Loaded, kinds: MessageCounts) -> Loaded:
    """Loaded logs with the requests in them."""
    items = loaded.items
    both = MessageCounts(pl.concat([items.messages, kinds.messages]), pl.concat([items.counts, kinds.counts]))
    return replace(loaded, items=both)


def _formats(options: LoadOptions) -> tuple[Format, ...]:
    return chosen(options.formats, options.described)


def content(file: LogFile) -> tuple[bytes, str | None]:
    """The bytes of a log, its rotated pieces first, and a text about its damage. Raises InputError as `pieces`."""
    paths = (*file.older, file.path)
    damages = [file.damage] if file.damage else []
    if file.container:
        data, damage = of_container(paths, file.container)
        damages += [damage] if damage else []
    else:
        data = b"".join(log_pieces(paths, damages))
    return data, "; ".join(damages) or None


def _read_table(file: LogFile, options: LoadOptions, masker: Masker) -> Loaded:
    if options.window or options.skip_init_lines:
        raise InputError(
            f"{file.source} is a table that defines its sequences: load it without --window and --skip-init-lines."
        )
    events, sequences, tally, items = read_table(file, masker, options.period)
    outside = [0] if not events.height and tally["not_chosen"].sum() else []
    return Loaded(events, sequences, load_ledger.read_rows([file], [file.bytes], [0], tally, outside), items)


def _slots(events: pl.DataFrame, folders: list[int], window: float | None) -> tuple[pl.Series, list[int | None]]:
    """The window of each event in its folder, and the number of windows of each folder."""
    folder = pl.Series(folders, dtype=pl.UInt32).gather(events["file"])
    stamps = [events["m_timestamp"].filter(folder == number) for number in range(max(folders) + 1)]
    cut = [slots(part, window) for part in stamps]
    return pl.concat([slot for slot, _ in cut]), [n for _, n in cut]


def _identities(files: Sequence[LogFile], n_slots: list[int | None]) -> pl.DataFrame:
    """One row per file and window: file, slot, and the identity columns of the sequence."""
    rows = [
        {
            "file": index,
            "slot": slot,
            "seq_id": file.seq_id + (f"__w{slot:03d}" if n else ""),
            "run": file.run,
            "folder": file.folder,
            "test_case": file.test_case,
            "repetition": file.repetition,
            "window": slot if n else None,
            "service": file.service,
            "normal": file.normal,
            "anomaly": None if file.normal is None else not file.normal,
        }
        for index, (file, n) in enumerate(zip(files, n_slots, strict=True))
        for slot in range(n or 1)
    ]
    return pl.DataFrame(rows, schema={"file": pl.UInt32, "slot": pl.Int32, **{n: _SEQUENCES[n] for n in _IDENTITY}})


def _with_single_spaces(lines: pl.Series) -> pl.Series:
    """The lines with one space after the level, which some logs fill up to the same width."""
    return lines.str.replace(r"^([A-Z]+) +", "${1} ")


def written(files: Sequence[LogFile]) -> datetime:
    """When the oldest of the files was last written, in UTC."""
    oldest = min(file.path.stat().st_mtime for file in files)
    return datetime.fromtimestamp(oldest, UTC).replace(tzinfo=None)


def _traces(parsed: Parsed, seq_ids: pl.Series, identities: pl.DataFrame, ids: pl.Series) -> pl.DataFrame:
    """seq_id and message_id (`ids`) of each continuation line; orphans belong to the first window of their file."""
    heads = identities.filter(pl.col("slot") == 0).select("file", head="seq_id")
    owners = parsed.traces.select("file", seq_id=seq_ids.gather(parsed.traces["event"]), message_id=ids)
    return owners.join(heads, on="file", how="left").select(pl.coalesce("seq_id", "head"), "message_id")


def _events(raw: pl.DataFrame, files: Sequence[LogFile]) -> pl.DataFrame:
    source = pl.Series("source", [file.source for file in files]).gather(raw["file"])
    message = pl.when(pl.col("trace").is_null()).then("body").otherwise(pl.col("body") + "\n" + pl.col("trace"))
    return raw.with_columns(source, m_message=message).select(_EVENTS.names())


def _sequences(raw: pl.DataFrame, identities: pl.DataFrame) -> pl.DataFrame:
    facts = raw.group_by("seq_id").agg(
        start_time=pl.col("m_timestamp").min(),
        end_time=pl.col("m_timestamp").max(),
        events=pl.len().cast(pl.Int64),
        lines=pl.col("n_lines").sum().cast(pl.Int64),
        bytes=pl.col("n_bytes").sum().cast(pl.Int64),
    )
    joined = identities.join(facts, on="seq_id", how="left", maintain_order="left")
    return joined.with_columns(pl.col("events", "lines", "bytes").fill_null(0)).select(_SEQUENCES.names())
